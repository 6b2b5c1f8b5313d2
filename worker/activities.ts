import type { Dependencies } from '../activities/dependencies.ts'
import { bulkRunActivities } from '../activities/bulk.ts'
import { expiryActivities } from '../activities/expiry.ts'
import { liabilityActivities } from '../activities/liability.ts'
import { type NetFindings, netActivities } from '../activities/net.ts'
import { paymentActivities } from '../activities/payment.ts'
import { redemptionActivities } from '../activities/redemption.ts'

/** Every activity the worker runs, under the names that the workflows call. */
export function workerActivities(
  dependencies: Dependencies & { found: (kind: keyof NetFindings, count: number) => void },
) {
  return {
    ...redemptionActivities(dependencies),
    ...paymentActivities(dependencies),
    ...expiryActivities(dependencies),
    ...bulkRunActivities(dependencies),
    ...liabilityActivities(dependencies),
    ...netActivities(dependencies),
  }
}

import type { Dependencies } from '../activities/dependencies.ts'
import { type NetFindings, netActivities } from '../activities/net.ts'
import { paymentActivities } from '../activities/payment.ts'
import { redemptionActivities } from '../activities/redemption.ts'
import { tierActivities } from '../activities/tier.ts'

/** Every activity the worker runs, under the names that the workflows call. */
export function workerActivities(
  dependencies: Dependencies & { found: (kind: keyof NetFindings, count: number) => void },
) {
  return {
    ...redemptionActivities(dependencies),
    ...paymentActivities(dependencies),
    ...tierActivities(dependencies),
    ...netActivities(dependencies),
  }
}

import { bulkRunActivities } from '../activities/bulk.ts'
import type { Dependencies } from '../activities/dependencies.ts'
import { expiryActivities } from '../activities/expiry.ts'
import { fulfillmentActivities } from '../activities/fulfillment.ts'
import { liabilityActivities } from '../activities/liability.ts'
import { paymentActivities } from '../activities/payment.ts'
import { type ReconcilerFindings, reconcilerActivities } from '../activities/reconciler.ts'
import { redemptionActivities } from '../activities/redemption.ts'
import { reportedEventActivities } from '../activities/reported-event.ts'
import { storeCreditActivities } from '../activities/store-credit.ts'
import { tierActivities } from '../activities/tier.ts'
import { tierReassessmentActivities } from '../activities/tier-reassessment.ts'
import type { DeliveryDependencies } from '../activities/webhooks/attempt.ts'
import { deliveryActivities } from '../activities/webhooks/deliver.ts'

/** Every activity the worker runs, under the names that the workflows call. */
export function workerActivities(
  dependencies: Dependencies &
    DeliveryDependencies & { found: (kind: keyof ReconcilerFindings, count: number) => void },
) {
  return {
    ...redemptionActivities(dependencies),
    ...fulfillmentActivities(dependencies),
    ...paymentActivities(dependencies),
    ...reportedEventActivities(dependencies),
    ...tierActivities(dependencies),
    ...tierReassessmentActivities(dependencies),
    ...expiryActivities(dependencies),
    ...bulkRunActivities(dependencies),
    ...liabilityActivities(dependencies),
    ...storeCreditActivities(dependencies),
    ...reconcilerActivities(dependencies),
    ...deliveryActivities(dependencies),
  }
}

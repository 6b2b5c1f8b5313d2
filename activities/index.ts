import type { Dependencies } from '../app/dependencies.ts'
import type { ReconcilerFindings } from '../app/reconciler.ts'
import type { DeliveryDependencies } from '../app/webhooks/deliveries.ts'
import { approvalActivities } from './approval.ts'
import { bulkRunActivities } from './bulk.ts'
import { erasureActivities } from './erasure.ts'
import { expiryActivities } from './expiry.ts'
import { fulfillmentActivities } from './fulfillment.ts'
import { liabilityActivities } from './liability.ts'
import { paymentActivities } from './payment.ts'
import { reconcilerActivities } from './reconciler.ts'
import { redemptionActivities } from './redemption.ts'
import { reportedEventActivities } from './reported-event.ts'
import { storeCreditActivities } from './store-credit.ts'
import { tierActivities, tierReassessmentActivities } from './tier.ts'
import { deliveryActivities } from './webhook.ts'

/** Every activity the worker runs, under the names that the workflows call. */
export function workerActivities(
  dependencies: Dependencies &
    DeliveryDependencies & { reconciled: (kind: keyof ReconcilerFindings, count: number) => void },
) {
  return {
    ...redemptionActivities(dependencies),
    ...fulfillmentActivities(dependencies),
    ...paymentActivities(dependencies),
    ...reportedEventActivities(dependencies),
    ...tierActivities(dependencies),
    ...tierReassessmentActivities(dependencies),
    ...expiryActivities(dependencies),
    ...approvalActivities(dependencies),
    ...bulkRunActivities(dependencies),
    ...erasureActivities(dependencies),
    ...liabilityActivities(dependencies),
    ...storeCreditActivities(dependencies),
    ...reconcilerActivities(dependencies),
    ...deliveryActivities(dependencies),
  }
}

import { accountActivities } from './account.ts'
import type { Dependencies } from './dependencies.ts'
import { earningRuleActivities } from './earning-rule.ts'
import { paymentActivities } from './payment.ts'
import { redemptionActivities } from './redemption.ts'
import { rewardActivities } from './reward.ts'
import { transactionActivities } from './transaction.ts'

/** Everything that writes, as the API calls it inside a request. */
export function requestActivities(dependencies: Dependencies) {
  return {
    ...accountActivities(dependencies),
    ...earningRuleActivities(dependencies),
    ...paymentActivities(dependencies),
    ...redemptionActivities(dependencies),
    ...rewardActivities(dependencies),
    ...transactionActivities(dependencies),
  }
}

export type RequestActivities = ReturnType<typeof requestActivities>

import { accountActivities } from './account.ts'
import { bulkActivities } from './bulk.ts'
import { codePoolActivities } from './code-pool.ts'
import type { Dependencies } from './dependencies.ts'
import { earningRuleActivities } from './earning-rule.ts'
import { eventTypeActivities } from './event-type.ts'
import { fulfillmentActivities } from './fulfillment.ts'
import { memberActivities } from './member.ts'
import { paymentActivities } from './payment.ts'
import { programActivities } from './program.ts'
import { reactorActivities } from './reactor.ts'
import { redemptionActivities } from './redemption.ts'
import { redemptionCommands } from './redemption-commands.ts'
import { reportedEventActivities } from './reported-event.ts'
import { rewardActivities } from './reward.ts'
import { storeCreditActivities } from './store-credit.ts'
import { transactionActivities } from './transaction.ts'
import { uploadActivities } from './upload.ts'
import { webhookEndpointActivities } from './webhooks/endpoint.ts'

/** Everything that writes, as the API calls it inside a request. */
export function requestActivities(dependencies: Dependencies) {
  return {
    ...accountActivities(dependencies),
    ...earningRuleActivities(dependencies),
    ...bulkActivities(dependencies),
    ...fulfillmentActivities(dependencies),
    ...eventTypeActivities(dependencies),
    ...memberActivities(dependencies),
    ...codePoolActivities(dependencies),
    ...paymentActivities(dependencies),
    ...programActivities(dependencies),
    ...reactorActivities(dependencies),
    ...redemptionActivities(dependencies),
    ...redemptionCommands(dependencies),
    ...reportedEventActivities(dependencies),
    ...rewardActivities(dependencies),
    ...storeCreditActivities(dependencies),
    ...transactionActivities(dependencies),
    ...uploadActivities(dependencies),
    ...webhookEndpointActivities(dependencies),
  }
}

export type RequestActivities = ReturnType<typeof requestActivities>

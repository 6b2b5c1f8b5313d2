import { accountCommands } from './accounts.ts'
import { apiKeyCommands } from './api-keys.ts'
import { approvalCommands } from './approvals.ts'
import { attentionCommands } from './attention.ts'
import { bulkCommands } from './bulk.ts'
import { codePoolCommands } from './code-pools.ts'
import type { Dependencies } from './dependencies.ts'
import { earningRuleCommands } from './earning-rules.ts'
import { erasureCommands } from './erasures.ts'
import { eventTypeCommands } from './event-types.ts'
import { fulfillmentCommands } from './fulfillments.ts'
import { uploadCommands } from './imports.ts'
import { memberCommands } from './members.ts'
import { membershipCommands } from './memberships.ts'
import { paymentCommands } from './payments.ts'
import { programCommands } from './programs.ts'
import { reactorCommands } from './reactors.ts'
import { redemptionCommands } from './redemptions.ts'
import { reportedEventCommands } from './reported-events.ts'
import { rewardCommands } from './rewards.ts'
import { sessionCommands } from './sessions.ts'
import { settingsCommands } from './settings.ts'
import { storeCreditCommands } from './store-credit.ts'
import { teamMemberCommands } from './team-members.ts'
import { transactionCommands } from './transactions.ts'
import { webhookEndpointCommands } from './webhook-endpoints.ts'

/** Everything that writes, as the API calls it inside a request: the only callers of ledger writes. */
export function createCommands(dependencies: Dependencies) {
  return {
    ...accountCommands(dependencies),
    ...apiKeyCommands(dependencies),
    ...approvalCommands(dependencies),
    ...attentionCommands(dependencies),
    ...earningRuleCommands(dependencies),
    ...bulkCommands(dependencies),
    ...fulfillmentCommands(dependencies),
    ...erasureCommands(dependencies),
    ...eventTypeCommands(dependencies),
    ...memberCommands(dependencies),
    ...membershipCommands(dependencies),
    ...codePoolCommands(dependencies),
    ...paymentCommands(dependencies),
    ...programCommands(dependencies),
    ...reactorCommands(dependencies),
    ...redemptionCommands(dependencies),
    ...reportedEventCommands(dependencies),
    ...rewardCommands(dependencies),
    ...sessionCommands(dependencies),
    ...settingsCommands(dependencies),
    ...storeCreditCommands(dependencies),
    ...teamMemberCommands(dependencies),
    ...transactionCommands(dependencies),
    ...uploadCommands(dependencies),
    ...webhookEndpointCommands(dependencies),
  }
}

export type Commands = ReturnType<typeof createCommands>

import { fulfillmentCommands } from '../app/fulfillments.ts'
import type { CommandDependencies } from '../app/redemptions.ts'
import { settling } from './redemption.ts'

export type FulfillmentActivities = ReturnType<typeof fulfillmentActivities>

/** What a fulfilment's workflow does. */
export function fulfillmentActivities(dependencies: CommandDependencies) {
  const commands = fulfillmentCommands(dependencies)
  return {
    fulfillRedemption: settling(commands.fulfillRedemption),
    actOnOverdueFulfillment: settling(commands.actOnOverdueFulfillment),
    cancelFulfillment: settling(commands.cancelFulfillment),
  }
}

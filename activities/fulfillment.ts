import { redemptionCommands } from './redemption-commands.ts'
import { type Asked, type Settling, settlementOf, settling, type Who } from './settlement.ts'

type Parcel = Asked & { quantity?: number; tracking: string | null; carrier: string | null }

export type FulfillmentActivities = ReturnType<typeof fulfillmentActivities>

/** What a fulfilment's workflow does: each is one ledger function, one transaction, idempotent by its operation. */
export function fulfillmentActivities(dependencies: Settling) {
  const settle = settling(dependencies)
  const commands = redemptionCommands(dependencies)

  return {
    fulfillRedemption: async (parcel: Parcel) =>
      settlementOf(await commands.fulfillRedemption(parcel)),

    /** The deadline of a fulfilment, if it has passed: by its policy a notice, or the points return. */
    actOnOverdueFulfillment: ({ workspace, redemption, at }: Who) =>
      settle('fulfillment_overdue', [workspace, redemption, at]),

    /** An operator gives it up: points for what was not shipped return. */
    cancelFulfillment: (ask: Asked & { reason: string }) =>
      settle('fulfillment_cancel', [
        ask.workspace,
        ask.redemption,
        ask.reason,
        ask.operation,
        ask.fingerprint,
        ask.at,
      ]),
  }
}

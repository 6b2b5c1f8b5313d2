import { fulfillmentCancel, fulfillmentOverdue, fulfillmentShip } from '../db/ledger.gen.ts'
import { asRun } from './as-run.ts'
import type { Command, CommandDependencies, RedemptionMoment } from './redemptions.ts'

type Parcel = Command & {
  /** Items; all that are left without it. */
  quantity?: number | undefined
  tracking: string | null
  carrier: string | null
}

/** What is done to redeemed items that are shipped: each is one ledger function, one transaction. */
export function fulfillmentCommands({ pool }: CommandDependencies) {
  return {
    /** A parcel left, with all that is still to be shipped or `quantity` items of it. */
    fulfillRedemption: (parcel: Parcel) =>
      fulfillmentShip.answer(asRun(pool), {
        ...parcel,
        id: parcel.redemption,
        quantity: parcel.quantity ?? null,
      }),

    /** The deadline of a fulfilment, if it has passed: by its policy a notice, or the points return. */
    actOnOverdueFulfillment: (moment: RedemptionMoment) =>
      fulfillmentOverdue.answer(asRun(pool), { ...moment, id: moment.redemption }),

    /** An operator gives it up: points for what was not shipped return. */
    cancelFulfillment: (command: Command & { reason: string }) =>
      fulfillmentCancel.answer(asRun(pool), { ...command, id: command.redemption }),
  }
}

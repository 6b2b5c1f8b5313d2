import type { RedemptionResult } from '../db/redemptions.ts'
import { callAsRun } from './call-as-run.ts'
import type { Command, CommandDependencies, RedemptionMoment } from './redemptions.ts'

export type Parcel = Command & {
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
      callAsRun<RedemptionResult>(pool, 'fulfillment_ship', [
        parcel.workspace,
        parcel.redemption,
        parcel.quantity ?? null,
        parcel.tracking,
        parcel.carrier,
        parcel.operation,
        parcel.fingerprint,
        parcel.at,
      ]),

    /** The deadline of a fulfilment, if it has passed: by its policy a notice, or the points return. */
    actOnOverdueFulfillment: ({ workspace, redemption, at }: RedemptionMoment) =>
      callAsRun<RedemptionResult>(pool, 'fulfillment_overdue', [workspace, redemption, at]),

    /** An operator gives it up: points for what was not shipped return. */
    cancelFulfillment: (cancel: Command & { reason: string }) =>
      callAsRun<RedemptionResult>(pool, 'fulfillment_cancel', [
        cancel.workspace,
        cancel.redemption,
        cancel.reason,
        cancel.operation,
        cancel.fingerprint,
        cancel.at,
      ]),
  }
}

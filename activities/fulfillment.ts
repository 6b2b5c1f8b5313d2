import { type Asked, type Settling, settling, type Who } from './settlement.ts'

type Parcel = Asked & { quantity?: number; tracking: string | null; carrier: string | null }

export type FulfillmentActivities = ReturnType<typeof fulfillmentActivities>

/** The writers of fulfilments: each is one ledger function, one transaction, idempotent by its operation. */
export function fulfillmentActivities(dependencies: Settling) {
  const settle = settling(dependencies)

  return {
    /** A parcel left, with all that is still to be shipped or `quantity` items of it. */
    fulfillRedemption: ({ workspace, redemption, operation, fingerprint, at, ...parcel }: Parcel) =>
      settle('fulfillment_ship', [
        workspace,
        redemption,
        parcel.quantity ?? null,
        parcel.tracking,
        parcel.carrier,
        operation,
        fingerprint,
        at,
      ]),

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

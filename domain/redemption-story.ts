import type { RedemptionStatus } from './redemption-status.ts'

export type RedemptionFacts = {
  status: RedemptionStatus | 'never_created'
  payment: string | null
  reason: string | null
  /** ISO 8601 */
  expiresAt: string | null
  late: 'flagged' | 'reheld' | null
}

/** What a redemption waits for, or what became of it, in plain words for an operator. */
export function redemptionStory({
  status,
  payment,
  reason,
  expiresAt,
  late,
}: RedemptionFacts): string {
  if (late === 'flagged') {
    return `Released, and then payment ${payment} charged the discount all the same. The points stayed with the member; a person decides.`
  }
  switch (status) {
    case 'pending':
      return payment
        ? `Points are held. Attached to payment ${payment}; waits for it to complete or fail. Without either the points return at ${expiresAt}.`
        : `Points are held. Waits for a payment to use it. Without one the points return at ${expiresAt}.`
    case 'applied':
      if (payment === null) return 'Applied: the till confirmed the sale.'
      return late === 'reheld'
        ? `Applied late: payment ${payment} completed after the release, and the points were taken again.`
        : `Applied: payment ${payment} completed with the discount.`
    case 'released':
      return `Released: the points are back with the member (${reason ?? 'no reason given'}).`
    case 'reversed':
      return `Reversed: the points are back with the member (${reason ?? 'no reason given'}).`
    case 'fulfillment_pending':
      return 'Points are spent. Waits for its fulfilment.'
    case 'fulfilled':
      return 'Fulfilled.'
    case 'never_created':
      return 'Nothing was held: the request was refused or never finished. There is nothing to do.'
  }
}

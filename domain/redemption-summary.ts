import type { LateOutcome, RedemptionStatus } from './redemption.ts'

/** How far an item is on its way. */
type FulfillmentProgress = {
  items: number
  shipped: number
  canceled: number
  /** Carrier and tracking of the latest parcel. */
  parcel: string | null
  /** Whether the points return at the deadline. */
  refunds: boolean
  notices: number
  /** ISO 8601; the deadline, or the next notice after it. */
  nextAt: string | null
}

export type RedemptionFacts = {
  status: RedemptionStatus | 'never_created' | 'missing'
  payment: string | null
  /** Of the attached payment, where it was read. */
  paymentStatus?: string | null
  reason: string | null
  /** ISO 8601 */
  expiresAt: string | null
  late: LateOutcome | null
  fulfillment?: FulfillmentProgress
}

/** What a redemption waits for, or what became of it, in plain words for an operator. */
export function redemptionSummary(facts: RedemptionFacts): string {
  const { status, payment, reason, expiresAt, late, fulfillment } = facts
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
      return fulfillment ? waiting(fulfillment) : 'Points are spent. Waits for its fulfilment.'
    case 'fulfilled':
      return fulfillment ? done(fulfillment, reason) : 'Fulfilled.'
    case 'missing':
      return 'There is no such redemption: its request was refused or never finished, or the database was restored to a time before it. There is nothing to do.'
    case 'never_created':
      return 'Nothing was held: the request was refused or never finished. There is nothing to do.'
  }
}

function waiting(progress: FulfillmentProgress): string {
  const { items, shipped, canceled, parcel, refunds, notices, nextAt } = progress
  const left = items - shipped - canceled
  const sent = shipped > 0 ? `${shipped} of ${items} shipped (${parcel ?? 'no tracking'}). ` : ''
  const late =
    notices > 0 ? `Overdue: ${notices === 1 ? '1 notice' : `${notices} notices`} sent. ` : ''
  const then = refunds
    ? `Without it their points return at ${nextAt}.`
    : `${notices > 0 ? 'The next notice' : 'A notice that it is overdue'} is sent at ${nextAt}.`
  return `Points are spent. ${sent}${late}Waits for ${left} to be shipped. ${then}`
}

function done(
  { items, shipped, canceled, parcel }: FulfillmentProgress,
  reason: string | null,
): string {
  const sent = `Fulfilled: ${shipped} of ${items} shipped (${parcel ?? 'no tracking'}).`
  return canceled > 0 ? `${sent} Points for the rest are back with the member (${reason}).` : sent
}

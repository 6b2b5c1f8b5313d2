import { z } from 'zod'
import type { ReportedRefund } from '../../../../db/results/payment.ts'
import { amountMinor } from '../../../schemas/amounts.ts'
import { text } from '../../../schemas/text.ts'
import { providerTime, reportedDisputes, reportedRefund } from '../../provider.ts'
import { type Event, LONGEST_ID, objectOf, reference } from './event.ts'
import { intent, paymentId, reported } from './payments.ts'

const stripeRefund = z.looseObject({
  id: text(LONGEST_ID),
  amount: amountMinor,
  created: z.number().nullish(),
  status: z.string().nullish(),
  reason: z.string().nullish(),
  payment_intent: reference,
  charge: reference,
})

const charge = intent.extend({
  created: z.number().nullish(),
  captured: z.boolean().nullish(),
  amount_captured: amountMinor.nullish(),
  amount_refunded: amountMinor,
  payment_intent: reference,
  refunds: z
    .looseObject({ data: z.array(stripeRefund), has_more: z.boolean().nullish() })
    .nullish(),
})

/**
 * The payment was completed when the charge was made: the refund's own time is long after that. Its
 * refunds are listed in the API versions before 2022-11-15; since then only their total is told.
 */
export function chargeIn(event: Event) {
  const read = objectOf(charge, event)
  if (read.captured === false || read.amount_captured === 0) return released(read)
  const amount = read.amount_captured ?? read.amount
  return {
    type: 'payment.refunded',
    status: 'completed' as const,
    payment: reported(read.payment_intent ?? read.id, { ...read, amount }),
    more: {
      refunds: read.refunds?.data.length ? listedIn(event, read) : stepIn(event, read),
      completed_at: providerTime(read.created) ?? providerTime(event.created),
    },
  }
}

type Charge = z.output<typeof charge>

/** The refunds that it lists, the oldest first: Stripe has the newest first. */
function listedIn(event: Event, { refunds, amount }: Charge): ReportedRefund[] {
  const maybeRelease = releasesAreRefunds(event) && refunds?.has_more !== true
  return (refunds?.data ?? [])
    .toReversed()
    .toSorted((a, b) => (a.created ?? 0) - (b.created ?? 0))
    .map(reportedRefund('refund'))
    .map((refund) => (maybeRelease ? { ...refund, authorised: amount } : refund))
}

/** This event's step of the running total, which also falls; no step, no refund. */
function stepIn(event: Event, { id, amount, amount_refunded: total }: Charge): ReportedRefund[] {
  const before = event.data.previous_attributes?.amount_refunded ?? 0
  const name = `re_${id}_${total}`
  if (total < before) {
    return [{ id: `${name}_${event.id}`, amount: before - total, step: event.id, status: 'failed' }]
  }
  const maybeRelease = releasesAreRefunds(event) && before === 0
  const step = { id: name, amount: total - before, step: event.id }
  return total === before ? [] : [{ ...step, ...(maybeRelease && { authorised: amount }) }]
}

/**
 * Whether this API version makes a refund of what was authorised and not captured. It is the charge's first,
 * since nothing else can be refunded before the capture.
 */
const releasesAreRefunds = ({ api_version }: Event) => (api_version ?? '') < '2025-03-31'

/** An authorisation that was never captured is no payment, and its release no refund. */
function released(read: Charge) {
  return {
    type: 'payment.canceled',
    status: 'canceled' as const,
    payment: reported(read.payment_intent ?? read.id, read),
  }
}

export const REFUND_EVENTS = new Set(['refund.failed', 'refund.updated', 'charge.refund.updated'])

/**
 * How a refund goes on. That it was made is told by `charge.refunded`, of whose total it may be only a
 * step; what is new here is its status.
 */
export function refundIn(event: Event) {
  const read = objectOf(stripeRefund, event)
  const of = read.payment_intent ?? read.charge
  if (of === null) return {}
  const refund = reportedRefund('refund')(read)
  const failed = refund.status === 'failed'
  return {
    type: failed ? 'refund.failed' : 'refund.updated',
    more: {
      subject: paymentId(of),
      refunds: [
        { ...refund, ...(failed ? { unlisted: true as const } : { update: true as const }) },
      ],
    },
  }
}

/**
 * A dispute takes the points while it is open or lost; one that is won gives them back. An inquiry takes
 * them once the funds are withdrawn.
 */
export function disputeIn(event: Event) {
  const read = objectOf(stripeRefund, event) // a dispute has the same fields
  const of = read.payment_intent ?? read.charge
  if (of === null) return {}
  const withdrawn = event.type === 'charge.dispute.funds_withdrawn'
  return {
    type: 'payment.disputed',
    more: {
      subject: paymentId(of),
      refunds: withdrawn ? [reportedRefund('dispute')(read)] : reportedDisputes([read]),
    },
  }
}

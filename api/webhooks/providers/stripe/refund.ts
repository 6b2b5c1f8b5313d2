import { z } from 'zod'
import { amountMinor } from '../../../schemas/amounts.ts'
import { text } from '../../../schemas/text.ts'
import { reportedDisputes, reportedRefund } from '../../refund-status.ts'
import { type Event, LONGEST_ID, objectOf, reference } from './event.ts'
import { paymentId } from './payment.ts'

export const stripeRefund = z.looseObject({
  id: text(LONGEST_ID),
  amount: amountMinor,
  created: z.number().nullish(),
  status: z.string().nullish(),
  reason: z.string().nullish(),
  payment_intent: reference,
  charge: reference,
})

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

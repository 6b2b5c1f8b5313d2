import { reportedDisputes, reportedRefund } from '../../refund-status.ts'
import { type Event, objectOf } from './event.ts'
import { paymentId } from './payment.ts'
import { stripeRefund } from './refund.ts'

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

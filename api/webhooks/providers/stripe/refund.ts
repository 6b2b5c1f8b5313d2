import { z } from 'zod'
import { amountMinor } from '../../../values/money.ts'
import { text } from '../../../values/text.ts'
import { reportedRefund } from '../../refund-status.ts'
import { type Event, LONGEST_ID, objectOf, reference } from './event.ts'
import { paymentId } from './payment.ts'

export const stripeRefund = z.looseObject({
  id: text(LONGEST_ID),
  amount: amountMinor,
  status: z.string().nullish(),
  reason: z.string().nullish(),
  payment_intent: reference,
})

export const FAILED_REFUNDS = new Set(['refund.failed', 'refund.updated', 'charge.refund.updated'])

export function failedRefundIn(event: Event) {
  const read = objectOf(stripeRefund, event)
  const refund = reportedRefund('refund')(read)
  if (read.payment_intent === null || refund.status !== 'failed') return {}
  return {
    type: 'refund.failed',
    more: { subject: paymentId(read.payment_intent), refunds: [refund] },
  }
}

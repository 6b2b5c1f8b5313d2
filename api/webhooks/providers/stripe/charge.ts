import { z } from 'zod'
import type { ReportedRefund } from '../../../../db/payments.ts'
import { amountMinor } from '../../../values/money.ts'
import { providerTime } from '../../event-body.ts'
import { reportedRefund } from '../../refund-status.ts'
import { type Event, objectOf, reference } from './event.ts'
import { intent, reported } from './payment.ts'
import { stripeRefund } from './refund.ts'

const charge = intent.extend({
  created: z.number().nullish(),
  captured: z.boolean().nullish(),
  amount_captured: amountMinor.nullish(),
  amount_refunded: amountMinor,
  payment_intent: reference,
  refunds: z.looseObject({ data: z.array(stripeRefund) }).nullish(),
})

/**
 * The refunds where Stripe lists them; else this event's step of the running total. The payment was
 * completed when the charge was made: the refund's own time is long after that.
 */
export function chargeIn(event: Event) {
  const read = objectOf(charge, event)
  if (read.captured === false || read.amount_captured === 0) return released(read)
  const before = event.data.previous_attributes?.amount_refunded ?? 0
  const listed = read.refunds?.data ?? []
  const refunds: ReportedRefund[] =
    listed.length > 0
      ? listed.map(reportedRefund('refund'))
      : [
          {
            id: `re_${read.id}_${read.amount_refunded}`,
            amount: read.amount_refunded - before,
            kind: 'refund',
            step: true,
          },
        ]
  const amount = read.amount_captured ?? read.amount
  return {
    type: 'payment.refunded',
    status: 'completed' as const,
    payment: reported(read.payment_intent ?? read.id, { ...read, amount }),
    more: { refunds, completed_at: providerTime(read.created) ?? providerTime(event.created) },
  }
}

/** An authorisation that was never captured is no payment, and its release no refund. */
function released(read: z.output<typeof charge>) {
  return {
    type: 'payment.canceled',
    status: 'canceled' as const,
    payment: reported(read.payment_intent ?? read.id, read),
  }
}

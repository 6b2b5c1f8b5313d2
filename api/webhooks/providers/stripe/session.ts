import { z } from 'zod'
import { customerId } from '../../../values/id.ts'
import { amountMinor, currencyLower } from '../../../values/money.ts'
import { text } from '../../../values/text.ts'
import { looseMetadata } from '../../event-body.ts'
import { type Event, LONGEST_ID, objectOf, reference } from './event.ts'
import { reported } from './payment.ts'

const session = z.looseObject({
  id: text(LONGEST_ID),
  amount_total: amountMinor.nullish(),
  currency: currencyLower.nullish(),
  customer: reference.pipe(customerId.nullable()),
  payment_intent: reference,
  metadata: looseMetadata,
})

export function sessionIn(event: Event) {
  const read = objectOf(session, event)
  const amount = read.amount_total ?? 0
  const currency = read.currency ?? 'eur'
  return {
    type: 'payment.expired',
    status: 'expired' as const,
    payment: reported(read.payment_intent ?? read.id, { ...read, amount, currency }),
  }
}

import { z } from 'zod'
import type { PaymentStatus, ReportedPayment } from '../../../../db/results/payment.ts'
import { amountMinor, currencyLower } from '../../../schemas/amounts.ts'
import { customerId } from '../../../schemas/ids.ts'
import { text } from '../../../schemas/text.ts'
import { looseMetadata, providerTime } from '../../provider.ts'
import { type Event, LONGEST_ID, objectOf, reference } from './event.ts'

export const intent = z.looseObject({
  id: text(LONGEST_ID),
  amount: amountMinor,
  amount_received: amountMinor.nullish(),
  currency: currencyLower,
  customer: reference.pipe(customerId.nullable()),
  metadata: looseMetadata,
  // the invoice that it pays: of its own before API version 2025-03-31, as an order since then
  invoice: reference,
  payment_details: z.looseObject({ order_reference: z.string().nullish() }).nullish(),
})

/** What Stripe calls it, what we call it, and how far the payment has come by it. */
export const INTENTS: ReadonlyMap<string, readonly [string, PaymentStatus | null]> = new Map([
  ['payment_intent.created', ['payment.created', 'requires_payment']],
  ['payment_intent.requires_action', ['payment.created', 'requires_payment']],
  ['payment_intent.processing', ['payment.processing', 'processing']],
  ['payment_intent.succeeded', ['payment.completed', 'completed']],
  ['payment_intent.canceled', ['payment.canceled', 'canceled']],
  // a decline that may be tried again: the intent stays open
  ['payment_intent.payment_failed', ['payment.declined', null]],
])

export function intentIn(event: Event, type: string, status: PaymentStatus | null) {
  const read = objectOf(intent, event)
  const amount = status === 'completed' ? (read.amount_received ?? read.amount) : read.amount
  const payment = reported(read.id, { ...read, amount })
  return { type, status, payment, more: { completed_at: providerTime(event.created) } }
}

/** Our id of a payment: its intent's, or its charge's where it has no intent. */
export const paymentId = (stripeId: string) => `pay_${stripeId}`

/** What Stripe says of a payment, in our form; its metadata names the redemptions. */
export function reported(
  id: string,
  read: Pick<z.output<typeof intent>, 'amount' | 'currency' | 'customer' | 'metadata'> &
    Partial<Pick<z.output<typeof intent>, 'invoice' | 'payment_details'>>,
): ReportedPayment {
  const { redemptions = '', amount_before_discounts: before } = read.metadata ?? {}
  const full = before !== undefined && /^\d{1,12}$/.test(before) ? Number(before) : read.amount
  return {
    id: paymentId(id),
    amount: Math.max(full, read.amount),
    amount_charged: read.amount,
    currency: read.currency,
    customer: read.customer,
    metadata: read.metadata ?? {},
    ...invoiceOf(read),
    refs: redemptions
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
      .map((redemption) => ({ redemption })),
  }
}

function invoiceOf({
  invoice,
  payment_details: details,
}: Partial<Pick<z.output<typeof intent>, 'invoice' | 'payment_details'>>) {
  const order = details?.order_reference ?? ''
  const named = invoice ?? (order.startsWith('in_') ? order : null)
  return named === null ? {} : { invoice: named }
}

const session = z.looseObject({
  id: text(LONGEST_ID),
  mode: z.string().nullish(),
  payment_status: z.string().nullish(),
  amount_total: amountMinor.nullish(),
  total_details: z.looseObject({ amount_discount: amountMinor.nullish() }).nullish(),
  currency: currencyLower.nullish(),
  customer: reference.pipe(customerId.nullable()),
  client_reference_id: text(LONGEST_ID).nullish(),
  payment_intent: reference,
  invoice: reference,
  metadata: looseMetadata,
})

type Session = z.output<typeof session>

/** What Stripe calls it, and what the session's payment has come to by it. */
export const SESSIONS: ReadonlyMap<string, (read: Session) => PaymentStatus> = new Map<
  string,
  (read: Session) => PaymentStatus
>([
  // one paid by a bank debit, say, is completed before the money is there
  [
    'checkout.session.completed',
    ({ payment_status }) => (payment_status === 'unpaid' ? 'processing' : 'completed'),
  ],
  ['checkout.session.async_payment_succeeded', () => 'completed'],
  ['checkout.session.async_payment_failed', () => 'failed'],
  ['checkout.session.expired', () => 'expired'],
])

/**
 * A checkout session is its payment intent's payment, of which it may say more than the intent does: its
 * own metadata and `client_reference_id`. A free order has no intent: the session is the payment. One
 * that sets up a card is no payment. Of a subscription's, which its invoice's intent pays, it is the
 * part that redemptions paid.
 */
export function sessionIn(event: Event, statusOf: (read: Session) => PaymentStatus) {
  const read = objectOf(session, event)
  const status = statusOf(read)
  if (status !== 'expired' && read.mode === 'setup') return {}
  const amount = read.amount_total ?? 0
  const reference = read.client_reference_id
  const payment = reported(read.payment_intent ?? read.id, {
    amount,
    currency: read.currency ?? 'eur',
    customer: read.customer,
    metadata: {
      ...(typeof reference === 'string' && { client_reference_id: reference }),
      ...read.metadata,
    },
  })
  // what Stripe took off by coupons is how a redemption's discount was given
  const before = payment.refs.length > 0 ? (read.total_details?.amount_discount ?? 0) : 0
  const full = Math.max(payment.amount, amount + before)
  const paidByInvoice = status !== 'expired' && read.mode === 'subscription'
  if (paidByInvoice && payment.refs.length === 0) return {}
  return {
    type: `payment.${status}`,
    status,
    payment: paidByInvoice
      ? { ...payment, amount: full - amount, amount_charged: 0, invoice: read.invoice }
      : { ...payment, amount: full },
    more: { completed_at: providerTime(event.created) },
  }
}

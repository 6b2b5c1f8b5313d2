import { z } from 'zod'
import type { PaymentStatus, ReportedPayment, ReportedRefund } from '../../../db/payments.ts'
import { parse } from '../../endpoint.ts'
import { customerId } from '../../values/id.ts'
import { amountMinor, currencyLower } from '../../values/money.ts'
import { text } from '../../values/text.ts'
import { jsonOf, looseMetadata, providerTime } from '../event-body.ts'
import type { Provider, ProviderEvent, Signer, Verification } from '../provider.ts'
import { reportedRefund } from '../refund-status.ts'
import { isMadeBy, readSignature } from '../signature.ts'
import { inIsoMinorUnits } from './stripe-amounts.ts'

const TOLERANCE_S = 300 // Stripe's own libraries allow as much
const LONGEST_ID = 255

const StripeEvent = z.looseObject({
  id: text(LONGEST_ID),
  type: text(100),
  created: z.number().int(),
  data: z.looseObject({
    object: z.looseObject({}),
    previous_attributes: z.looseObject({ amount_refunded: amountMinor.optional() }).nullish(),
  }),
})

type Event = z.infer<typeof StripeEvent>

/** An object, or its id where Stripe did not expand it. */
const reference = z
  .union([z.string(), z.looseObject({ id: z.string() })])
  .nullish()
  .transform((value) => (typeof value === 'string' ? value : (value?.id ?? null)))

const intent = z.looseObject({
  id: text(LONGEST_ID),
  amount: amountMinor,
  amount_received: amountMinor.nullish(),
  currency: currencyLower,
  customer: reference.pipe(customerId.nullable()),
  metadata: looseMetadata,
})
const stripeRefund = z.looseObject({
  id: text(LONGEST_ID),
  amount: amountMinor,
  status: z.string().nullish(),
  reason: z.string().nullish(),
  payment_intent: reference,
})
const charge = intent.extend({
  amount_captured: amountMinor.nullish(),
  amount_refunded: amountMinor,
  payment_intent: reference,
  refunds: z.looseObject({ data: z.array(stripeRefund) }).nullish(),
})
const dispute = stripeRefund.extend({ charge: reference })
const session = z.looseObject({
  id: text(LONGEST_ID),
  amount_total: amountMinor.nullish(),
  currency: currencyLower.nullish(),
  customer: reference.pipe(customerId.nullable()),
  payment_intent: reference,
  metadata: looseMetadata,
})

/** What Stripe calls it, what we call it, and how far the payment has come by it. */
const INTENTS: Readonly<Record<string, readonly [string, PaymentStatus | null]>> = {
  'payment_intent.created': ['payment.created', 'requires_payment'],
  'payment_intent.requires_action': ['payment.created', 'requires_payment'],
  'payment_intent.processing': ['payment.processing', 'processing'],
  'payment_intent.succeeded': ['payment.completed', 'completed'],
  'payment_intent.canceled': ['payment.canceled', 'canceled'],
  // a decline that may be tried again: the intent stays open
  'payment_intent.payment_failed': ['payment.declined', null],
}

/**
 * Stripe's webhooks as they are. A payment is its payment intent (`pay_pi_...`), so that everything
 * about one intent is one payment; `metadata.redemptions` names redemptions, comma-separated, and
 * `metadata.amount_before_discounts` the amount that they were taken off from.
 */
export const stripe: Provider = {
  verify: <Secret extends Signer>(given: Verification<Secret>) => {
    const signature = readSignature(given.header('stripe-signature'))
    if (signature === undefined) return undefined
    if (Math.abs(given.nowMs / 1_000 - signature.timestamp) > TOLERANCE_S) return undefined
    return given.secrets.find(({ secret }) => isMadeBy(secret, signature, given.body))
  },

  read: (body): ProviderEvent => {
    const sent = parse<typeof StripeEvent>(StripeEvent, jsonOf(body))
    const event = { ...sent, data: inIsoMinorUnits(sent.data) }
    const told = { id: event.id, type: event.type, status: null, payment: null, payload: sent }
    const known = INTENTS[event.type]
    if (known !== undefined) return { ...told, ...intentIn(event, ...known) }
    if (event.type === 'charge.refunded') return { ...told, ...chargeIn(event) }
    if (event.type.startsWith('charge.dispute.')) return { ...told, ...disputeIn(event) }
    if (event.type === 'checkout.session.expired') return { ...told, ...sessionIn(event) }
    if (FAILED_REFUNDS.has(event.type)) return { ...told, ...failedRefundIn(event) }
    return told
  },
}

const FAILED_REFUNDS = new Set(['refund.failed', 'refund.updated', 'charge.refund.updated'])

const paymentId = (stripeId: string) => `pay_${stripeId}`

function objectOf<S extends z.ZodType>(schema: S, event: Event) {
  return parse(z.looseObject({ data: z.looseObject({ object: schema }) }), event).data
    .object as z.output<S> // the parsed edge: this is the schema's output
}

function reported(
  id: string,
  read: Pick<z.output<typeof intent>, 'amount' | 'currency' | 'customer' | 'metadata'>,
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
    refs: redemptions
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
      .map((redemption) => ({ redemption })),
  }
}

function intentIn(event: Event, type: string, status: PaymentStatus | null) {
  const read = objectOf(intent, event)
  const amount = status === 'completed' ? (read.amount_received ?? read.amount) : read.amount
  const payment = reported(read.id, { ...read, amount })
  return { type, status, payment, more: { completed_at: providerTime(event.created) } }
}

/** The refunds where Stripe lists them; else this event's step of the running total. */
function chargeIn(event: Event) {
  const read = objectOf(charge, event)
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
    more: { refunds },
  }
}

/** A dispute takes the points while it is open or lost; one that is won gives them back. */
function disputeIn(event: Event) {
  const read = objectOf(dispute, event)
  const of = read.payment_intent ?? read.charge
  if (of === null) return {}
  return {
    type: 'payment.disputed',
    more: { subject: paymentId(of), refunds: [reportedRefund('dispute')(read)] },
  }
}

function failedRefundIn(event: Event) {
  const read = objectOf(stripeRefund, event)
  const refund = reportedRefund('refund')(read)
  if (read.payment_intent === null || refund.status !== 'failed') return {}
  return {
    type: 'refund.failed',
    more: { subject: paymentId(read.payment_intent), refunds: [refund] },
  }
}

function sessionIn(event: Event) {
  const read = objectOf(session, event)
  const amount = read.amount_total ?? 0
  const currency = read.currency ?? 'eur'
  return {
    type: 'payment.expired',
    status: 'expired' as const,
    payment: reported(read.payment_intent ?? read.id, { ...read, amount, currency }),
  }
}

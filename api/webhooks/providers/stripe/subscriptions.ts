import { z } from 'zod'
import type { ReportedMore } from '../../../../db/results/payment.ts'
import { amountMinor, currencyLower } from '../../../schemas/amounts.ts'
import { customerId } from '../../../schemas/ids.ts'
import { text } from '../../../schemas/text.ts'
import { looseMetadata, providerTime } from '../../provider.ts'
import { type Event, LONGEST_ID, objectOf, reference } from './event.ts'
import { paymentId } from './payments.ts'

const ofSubscription = z.looseObject({ metadata: looseMetadata }).nullish()

/** Both shapes: since API version 2025-03-31 an invoice has no intent of its own, and a parent. */
const invoice = z.looseObject({
  id: text(LONGEST_ID),
  amount_paid: amountMinor,
  currency: currencyLower,
  customer: reference.pipe(customerId.nullable()),
  metadata: looseMetadata,
  payment_intent: reference,
  subscription_details: ofSubscription,
  parent: z.looseObject({ subscription_details: ofSubscription }).nullish(),
  payments: z
    .looseObject({
      data: z.array(
        z.looseObject({ payment: z.looseObject({ payment_intent: reference }).nullish() }),
      ),
    })
    .nullish(),
})

/** Two events say that an invoice was paid, and both may be sent: its id earns once. */
export const INVOICES: ReadonlySet<string> = new Set(['invoice.paid', 'invoice.payment_succeeded'])

/**
 * What an invoice earns by rules of `invoice.paid`. Its metadata comes before its subscription's. Where
 * it does not name its intent, the intent names it.
 */
export function invoiceIn(event: Event): { type: string; more: ReportedMore } {
  const read = objectOf(invoice, event)
  const [paid] = read.payments?.data ?? []
  const intent = read.payment_intent ?? paid?.payment?.payment_intent ?? null
  const subscription = read.parent?.subscription_details ?? read.subscription_details
  return {
    type: 'invoice.paid',
    more: {
      subject: read.id,
      facts: {
        trigger: 'invoice.paid',
        noun: 'invoice',
        customer: read.customer,
        metadata: { ...subscription?.metadata, ...read.metadata },
        amount: read.amount_paid,
        currency: read.currency,
        payment: intent === null ? null : paymentId(intent),
        at: providerTime(event.created),
      },
    },
  }
}

const price = z
  .looseObject({ unit_amount: amountMinor.nullish(), currency: currencyLower.nullish() })
  .nullish()

const subscription = z.looseObject({
  id: text(LONGEST_ID),
  status: z.string().nullish(),
  currency: currencyLower.nullish(),
  customer: reference.pipe(customerId.nullable()),
  metadata: looseMetadata,
  items: z
    .looseObject({
      data: z.array(z.looseObject({ quantity: z.number().int().min(0).nullish(), price })),
    })
    .nullish(),
})

export const SUBSCRIPTIONS: ReadonlySet<string> = new Set([
  'customer.subscription.created',
  'customer.subscription.updated',
])

const BEGUN = new Set(['active', 'trialing'])

/**
 * What a new subscription earns by rules of `subscription.created`, on what its items cost a period. One
 * whose first payment is still due is `incomplete`, and earns once an update says that it is no more.
 */
export function subscriptionIn(event: Event): { type?: string; more?: ReportedMore } {
  const read = objectOf(subscription, event)
  const isNew =
    event.type === 'customer.subscription.created' ||
    event.data.previous_attributes?.status === 'incomplete'
  if (!isNew || !BEGUN.has(read.status ?? 'active')) return {}
  const items = read.items?.data ?? []
  const costs = items.map((item) => (item.price?.unit_amount ?? 0) * (item.quantity ?? 1))
  const currency = read.currency ?? items[0]?.price?.currency ?? null
  return {
    type: 'subscription.created',
    more: {
      subject: read.id,
      facts: {
        trigger: 'subscription.created',
        noun: 'subscription',
        customer: read.customer,
        metadata: read.metadata ?? {},
        amount: currency === null ? null : costs.reduce((sum, cost) => sum + cost, 0),
        currency,
        payment: null,
        at: providerTime(event.created),
      },
    },
  }
}

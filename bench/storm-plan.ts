import { newId } from '../domain/ids.ts'

interface WebhookEvent {
  id: string
  type: string
  created: number
  data: Record<string, unknown>
}

interface StormPlan {
  /** Every event once, in the order in which it happened. */
  events: WebhookEvent[]
  /** Where each customer's balance must end, at 1 point per EUR 1. */
  expected: Map<string, number>
}

const EVENTS_A_PAYMENT = 4
const LARGEST_MINOR = 50_000

/** The same numbers for the same seed (mulberry32), so that a failure can be looked at again. */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Payments that complete and are refunded in part, twice, wholly, or by a refund that fails. */
export function planStorm(customers: string[], webhooks: number, random: () => number): StormPlan {
  const expected = new Map(customers.map((customer) => [customer, 0]))
  const events: WebhookEvent[] = []
  for (let made = 0; made < webhooks; made += EVENTS_A_PAYMENT) {
    const customer = customers[Math.floor(random() * customers.length)] ?? ''
    const amount = 100 + Math.floor(random() * LARGEST_MINOR)
    const story = tell(customer, amount, random)
    events.push(...story.events)
    const earned = Math.floor(amount / 100)
    const taken = story.refunded >= amount ? earned : Math.floor((earned * story.refunded) / amount)
    expected.set(customer, (expected.get(customer) ?? 0) + earned - taken)
  }
  return { events, expected }
}

function tell(customer: string, amount: number, random: () => number) {
  const payment = { id: newId('pay'), amount, currency: 'eur', customer, refunds: [] }
  const first = refundOf(payment.id, Math.ceil(amount * random()))
  const second = refundOf(payment.id, amount - first.amount)
  const opening = [event('payment.created', payment), event('payment.completed', payment)]
  const refunded = event('refund.created', first)
  const ends = [
    { last: event('refund.failed', { ...first, status: 'failed' }), refunded: 0 },
    { last: event('refund.created', second), refunded: amount },
    {
      last: event('payment.refunded', { ...payment, refunds: [first] }),
      refunded: first.amount,
    },
  ]
  const end = ends[Math.floor(random() * ends.length)]
  if (end === undefined) throw new Error('random() must be below 1')
  return { events: [...opening, refunded, end.last], refunded: end.refunded }
}

const refundOf = (payment: string, amount: number) => ({ id: newId('re'), payment, amount })

const event = (type: string, data: Record<string, unknown>): WebhookEvent => ({
  id: newId('evt'),
  type,
  created: Math.floor(Date.now() / 1_000),
  data,
})

/** Each one twice, in no order (Fisher-Yates). */
export function twiceAndShuffled<T>(items: readonly T[], random: () => number): T[] {
  const all = [...items, ...items]
  for (let last = all.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const [a, b] = [all[last], all[other]]
    if (a !== undefined && b !== undefined) [all[last], all[other]] = [b, a]
  }
  return all
}

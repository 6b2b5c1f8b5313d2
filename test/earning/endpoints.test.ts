import { createHmac } from 'node:crypto'
import request from 'supertest'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { workspaceCommands } from '../../app/workspaces.ts'
import { seedRule } from '../../dev/demo.ts'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { earningIn } from './earn.ts'

const MAPPING = {
  header: 'x-shop-signature',
  event: { id: 'eventId', type: 'kind', created: 'at' },
  types: { paid: 'payment.completed', refunded: 'refund.created', bounced: 'refund.failed' },
  payment: { id: 'number', amount: 'cents', currency: 'currency', customer: 'buyer' },
  refund: { id: 'refund', amount: 'cents' },
}

let shop: Shop
let earning: ReturnType<typeof earningIn>
beforeAll(async () => {
  shop = await openShop()
  await seedRule(shop.pool, shop.workspace)
  await shop.owner.query(
    `insert into earning_rule (workspace, id, program, trigger, award, created_at)
     values ($1, 'erl_invoice', 'prog_default', 'invoice.paid', '{"fixed": 100}', '2020-01-01')`,
    [shop.workspace],
  )
  earning = earningIn(shop)
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

type Report = { received: true; duplicate: boolean; conflict?: true }
type Endpoint = { id: string; report(event: object): Promise<Report> }
type Send = { path: string; header: string; signature: string; body: string }

const seconds = () => Math.floor(Date.now() / 1_000)
const hmac = (secret: string, text: string) =>
  createHmac('sha256', secret).update(text).digest('hex')

async function send({ path, header, signature, body }: Send): Promise<Report> {
  const answer = await request(shop.app)
    .post(path)
    .set('Content-Type', 'application/json')
    .set(header, signature)
    .send(body)
  expect([answer.status, answer.body]).toEqual([200, expect.objectContaining({ received: true })])
  return answer.body
}

/** A provider's endpoint of its own, and what sends its events. */
async function endpoint(provider: 'generic' | 'stripe' | 'sandbox'): Promise<Endpoint> {
  const secret = `whsec_${newId('whs')}`
  const mapping = provider === 'generic' ? MAPPING : null
  const { addPaymentSecret } = workspaceCommands({ pool: shop.pool })
  const id = await addPaymentSecret(shop.workspace, provider, secret, mapping)
  const path = `/v1/webhooks/payments/${provider}/${id}`
  return {
    id,
    report: (event) => send({ path, ...signed(provider, secret, JSON.stringify(event)) }),
  }
}

function signed(provider: string, secret: string, body: string) {
  if (provider === 'generic') return { header: MAPPING.header, signature: hmac(secret, body), body }
  const at = seconds()
  const header = provider === 'stripe' ? 'stripe-signature' : 'x-vinr-signature'
  return { header, signature: `t=${at},v1=${hmac(secret, `${at}.${body}`)}`, body }
}

const payments = async (customer: string) =>
  (await shop.get(`/v1/payments?customer=${customer}`)).body.data as {
    id: string
    provider: string
    status: string
    amount: number
    amount_refunded: number
  }[]
const amountsOf = async (customer: string) =>
  (await payments(customer))
    .map(({ amount, amount_refunded }) => [amount, amount_refunded] as const)
    .toSorted(([a], [b]) => a - b)
const paymentOf = async (id: string) => (await shop.get(`/v1/payments/${id}`)).body
const attention = async (event: string) =>
  (
    await shop.owner.query(
      `select kind, object, times, details, settled_at from attention where details ->> 'event' = $1 order by since`,
      [event],
    )
  ).rows

let one: Endpoint
let other: Endpoint
beforeAll(async () => {
  ;[one, other] = [await endpoint('generic'), await endpoint('generic')]
})

describe('two shops of one workspace that count alike', () => {
  let number: string
  beforeEach(() => {
    number = newId('op').slice(3)
  })
  const paid = (cents: number, buyer: string, more: object = {}) => ({
    eventId: `paid-${number}`,
    kind: 'paid',
    number,
    cents,
    currency: 'eur',
    buyer,
    ...more,
  })
  const refunded = (cents: number, more: object = {}) => ({
    eventId: `refund-${number}`,
    kind: 'refunded',
    number,
    refund: `R-${number}`,
    cents,
    ...more,
  })

  test('each have their payment, its points and its refund, whatever the other sent', async () => {
    const { id, customer } = await earning.member()
    expect(await one.report(paid(1_000, customer))).toEqual({ received: true, duplicate: false })
    expect(await other.report(paid(2_500, customer))).toEqual({ received: true, duplicate: false })
    expect(await amountsOf(customer)).toEqual([
      [1_000, 0],
      [2_500, 0],
    ])
    expect(await earning.balance(id)).toBe(35)
    expect((await paymentOf(`pay_${number}`)).amount).toBe(1_000)
    await other.report(refunded(500))
    await one.report(refunded(200))
    expect(await amountsOf(customer)).toEqual([
      [1_000, 200],
      [2_500, 500],
    ])
    expect(await earning.balance(id)).toBe(28)
  })

  test('are each known by their repeats', async () => {
    const { id, customer } = await earning.member()
    const events: [Endpoint, object][] = [
      [one, paid(1_000, customer)],
      [other, paid(2_500, customer)],
      [other, refunded(500)],
      [one, refunded(200)],
    ]
    for (const [from, event] of events) await from.report(event)
    for (const [from, event] of events) {
      expect(await from.report(event)).toEqual({ received: true, duplicate: true })
    }
    expect(await earning.balance(id)).toBe(28)
  })

  test('are told apart where a refund comes before any payment of that number', async () => {
    const { id, customer } = await earning.member()
    await other.report(refunded(500))
    await one.report(paid(1_000, customer))
    expect(await amountsOf(customer)).toEqual([[1_000, 0]])
    await other.report(paid(2_500, customer))
    expect(await amountsOf(customer)).toEqual([
      [1_000, 0],
      [2_500, 500],
    ])
    expect(await earning.balance(id)).toBe(30)
    expect((await paymentOf(`pay_${number}`)).amount).toBe(2_500)
  })

  test('fail only refunds of their own', async () => {
    const { id, customer } = await earning.member()
    await one.report(paid(1_000, customer))
    await one.report(refunded(400))
    const bounced = refunded(400, { eventId: `bounced-${number}`, kind: 'bounced' })
    await other.report(bounced)
    expect(await amountsOf(customer)).toEqual([[1_000, 400]])
    expect(await earning.balance(id)).toBe(6)
    await one.report(bounced)
    expect(await amountsOf(customer)).toEqual([[1_000, 0]])
    expect(await earning.balance(id)).toBe(10)
  })

  test('all at once, each twice, end with each event counted once', async () => {
    const { id, customer } = await earning.member()
    const events: [Endpoint, object][] = [
      [one, paid(1_000, customer)],
      [other, paid(2_500, customer)],
      [one, refunded(200)],
      [other, refunded(500)],
    ]
    const answers = await Promise.all(
      [...events, ...events].map(([from, event]) => from.report(event)),
    )
    expect(answers.filter(({ duplicate }) => duplicate)).toHaveLength(4)
    await expect.poll(() => earning.balance(id)).toBe(28)
    expect(await amountsOf(customer)).toEqual([
      [1_000, 200],
      [2_500, 500],
    ])
  })
})

describe('two providers of one workspace', () => {
  const intent = (id: string, event: string, customer: string) => ({
    id: event,
    type: 'payment_intent.succeeded',
    created: seconds(),
    data: { object: { id, amount: 700, currency: 'eur', customer, metadata: {} } },
  })
  const completed = (id: string, event: string, customer: string) => ({
    id: event,
    type: 'payment.completed',
    created: seconds(),
    data: { id, amount: 300, currency: 'eur', customer },
  })

  test('that use the same ids are both heard', async () => {
    const { id, customer } = await earning.member()
    const [name, event] = [`pi_${newId('op').slice(3)}`, newId('evt')]
    const stripe = await endpoint('stripe')
    await stripe.report(intent(name, event, customer))
    expect((await shop.webhook(completed(`pay_${name}`, event, customer))).body).toEqual({
      received: true,
      duplicate: false,
    })
    expect(await earning.balance(id)).toBe(10)
    expect(await paymentOf(`pay_${name}`)).toMatchObject({ provider: 'stripe', amount: 700 })
    expect(await amountsOf(customer)).toEqual([
      [300, 0],
      [700, 0],
    ])
  })

  test('move none of the other’s payments, and none that the API made for another', async () => {
    const { customer } = await earning.member()
    const { body: open } = await shop.post('/v1/payments', {
      amount: 900,
      currency: 'eur',
      customer,
    })
    const number = open.id
    const sale = { eventId: newId('evt'), kind: 'paid', number, cents: 900, currency: 'eur' }
    await one.report(sale)
    expect((await paymentOf(open.id)).status).toBe('requires_payment')
    const refund = { refund: 'R-9', cents: 900 }
    await one.report({ ...sale, ...refund, eventId: newId('evt'), kind: 'refunded' })
    expect((await paymentOf(open.id)).refunds).toEqual([])
  })

  test('a payment of the API is moved by the first endpoint of its provider that speaks of it, then by no other', async () => {
    const { customer } = await earning.member()
    const { body: open } = await shop.post('/v1/payments', {
      amount: 900,
      currency: 'eur',
      customer,
    })
    const reported = (type: string) => ({
      id: newId('evt'),
      type,
      created: seconds(),
      data: { id: open.id, amount: 900, currency: 'eur' },
    })
    const second = await endpoint('sandbox')
    await shop.webhook(reported('payment.processing'))
    await second.report(reported('payment.failed'))
    expect((await paymentOf(open.id)).status).toBe('processing')
    await shop.webhook(reported('payment.completed'))
    expect((await paymentOf(open.id)).status).toBe('completed')
  })

  test('invoices of the same id earn once each, and refunds take back only their own', async () => {
    const { id, customer } = await earning.member()
    const second = await endpoint('sandbox')
    const [invoice, payment] = [newId('op'), newId('pay')]
    const paid = {
      id: newId('evt'),
      type: 'invoice.paid',
      created: seconds(),
      data: { id: invoice, customer, payment },
    }
    await shop.webhook(paid)
    await second.report(paid)
    expect(await earning.balance(id)).toBe(200)
    await shop.webhook({ ...paid, id: newId('evt') })
    expect(await earning.balance(id)).toBe(200)
    const whole = { id: payment, amount: 100, currency: 'eur', refunds: [] as object[] }
    const reported = {
      id: newId('evt'),
      type: 'payment.completed',
      created: seconds(),
      data: whole,
    }
    await second.report(reported)
    await second.report({
      ...reported,
      id: newId('evt'),
      type: 'payment.refunded',
      data: { ...whole, refunds: [{ id: newId('re'), payment, amount: 100 }] },
    })
    expect(await earning.balance(id)).toBe(100)
  })
})

describe('an event whose id is known', () => {
  const event = (amount: number, customer: string) => ({
    id: newId('evt'),
    type: 'payment.completed',
    created: seconds(),
    livemode: false,
    data: { id: newId('pay'), amount, currency: 'eur', customer },
  })

  test('with other content moves nothing, and is kept, logged and put before a person', async () => {
    const { id, customer } = await earning.member()
    const first = event(500, customer)
    await shop.webhook(first)
    const second = { ...first, data: { ...first.data, amount: 900 } }
    const conflict = { received: true, duplicate: true, conflict: true }
    expect((await shop.webhook(second)).body).toEqual(conflict)
    expect((await shop.webhook(second)).body).toEqual(conflict)
    expect((await shop.webhook({ ...first, type: 'payment.failed' })).body).toEqual(conflict)
    expect((await shop.webhook({ ...first, created: 1_700_000_000 })).body).toEqual(conflict)
    expect(await paymentOf(first.data.id)).toMatchObject({ amount: 500, status: 'completed' })
    expect(await earning.balance(id)).toBe(5)
    const kept = await attention(first.id)
    expect(kept.map(({ times }) => times)).toEqual([2, 1, 1])
    expect(kept[0]).toMatchObject({
      kind: 'payment_event_conflict',
      object: first.data.id,
      settled_at: null,
      details: { provider: 'sandbox', payload: second },
    })
    const logged = shop.lines.filter((line) => line.includes('came again with other content'))
    expect(logged.filter((line) => line.includes(first.id))).toHaveLength(4)
  })

  test('of another payment moves neither', async () => {
    const { id, customer } = await earning.member()
    const first = event(500, customer)
    await shop.webhook(first)
    const second = { ...first, data: { ...first.data, id: newId('pay') } }
    expect((await shop.webhook(second)).body).toMatchObject({ conflict: true })
    expect((await shop.get(`/v1/payments/${second.data.id}`)).status).toBe(404)
    expect(await earning.balance(id)).toBe(5)
  })

  test('is the same in any order of its fields, whatever it says of its delivery', async () => {
    const { customer } = await earning.member()
    const { id, type, created, data } = event(500, customer)
    await shop.webhook({ id, type, created, data, attempt: 1 })
    const reordered = Object.fromEntries(Object.entries(data).reverse())
    const again = { attempt: 2, data: reordered, created, type, id, livemode: true }
    expect((await shop.webhook(again)).body).toEqual({ received: true, duplicate: true })
    expect(await attention(id)).toEqual([])
  })

  test('of a mapped shop is the same by what the mapping reads', async () => {
    const { customer } = await earning.member()
    const number = newId('op').slice(3)
    const sale = { eventId: number, kind: 'paid', number, cents: 500, currency: 'eur' }
    await one.report({ ...sale, buyer: customer, sentAt: 1 })
    expect(await one.report({ ...sale, buyer: customer, sentAt: 2 })).toEqual({
      received: true,
      duplicate: true,
    })
    expect(await one.report({ ...sale, buyer: 'cust_other', sentAt: 3 })).toMatchObject({
      conflict: true,
    })
    expect(await attention(number)).toHaveLength(1)
  })
})

import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { workspaceCommands } from '../../app/workspaces.ts'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { ended } from '../support/redeem.ts'
import { amounts, earningIn } from './earn.ts'

const SECRET = 'whsec_5b2f8d1c9e7a4036'
const GENERIC_SECRET = 'generic-secret'
const MAPPING = {
  header: 'x-shop-signature',
  event: { id: 'event', type: 'kind', created: 'at' },
  types: { billed: 'invoice.paid', subscribed: 'subscription.created', paid: 'payment.completed' },
  payment: { id: 'order', amount: 'cents', currency: 'currency', customer: 'buyer' },
  trigger: {
    id: 'number',
    amount: 'cents',
    currency: 'currency',
    customer: 'buyer',
    loyalty_account: 'card',
    payment: 'order',
  },
}
const PER_EURO = { per_amount: { points: 1, amount: 100, currency: 'eur' } }
const PER_EURO_TWICE = { per_amount: { points: 2, amount: 100, currency: 'eur' } }

let shop: Shop
let stripeAddress: string
let genericAddress: string
let earning: ReturnType<typeof earningIn>
beforeAll(async () => {
  shop = await openShop()
  const { addPaymentSecret } = workspaceCommands({ pool: shop.pool })
  const ofStripe = await addPaymentSecret(shop.workspace, 'stripe', SECRET)
  const ofGeneric = await addPaymentSecret(shop.workspace, 'generic', GENERIC_SECRET, MAPPING)
  stripeAddress = `/v1/webhooks/payments/stripe/${ofStripe}`
  genericAddress = `/v1/webhooks/payments/generic/${ofGeneric}`
  earning = earningIn(shop)
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

type Fields = { [name: string]: unknown }
type Shape = 'old' | 'new'

const now = () => Math.floor(Date.now() / 1_000)

let made = 0
/** A member of a program of its own, with these rules. */
async function member(rules: Fields[]) {
  const program = `prog_r${++made}`
  await shop.owner.query(
    `insert into program (workspace, id, name, decimals, rounding) values ($1, $2, 'Test', 0, 'down')`,
    [shop.workspace, program],
  )
  for (const rule of rules) await earning.rule({ program, ...rule })
  return { program, ...(await earning.member({ program })) }
}

async function send(type: string, object: Fields, previous?: Fields): Promise<void> {
  const data = { object, ...(previous && { previous_attributes: previous }) }
  const body = JSON.stringify({ id: newId('evt'), object: 'event', type, created: now(), data })
  const digest = createHmac('sha256', SECRET).update(`${now()}.${body}`).digest('hex')
  const answer = await request(shop.app)
    .post(stripeAddress)
    .set('Content-Type', 'application/json')
    .set('Stripe-Signature', `t=${now()},v1=${digest}`)
    .send(body)
  expect([answer.status, answer.body]).toMatchObject([200, { received: true }])
  await earning.processed(String(object.id).startsWith('pi_') ? `pay_${object.id}` : `${object.id}`)
}

/** A subscription's renewal of EUR 20.00, as the two API shapes word it. */
async function renewal(shape: Shape, customer: string | null, metadata: Fields = {}) {
  const name = newId('op').slice(3)
  const [pi, invoice, sub] = [`pi_${name}`, `in_${name}`, `sub_${name}`]
  const intent = JSON.parse(
    await readFile(new URL('stripe/payment_intent.succeeded.json', import.meta.url), 'utf8'),
  ).data.object
  const details = { metadata, subscription: sub }
  return {
    pi,
    invoice,
    payment: `pay_${pi}`,
    intent: () =>
      send('payment_intent.succeeded', {
        ...intent,
        id: pi,
        amount: 2_000,
        amount_received: 2_000,
        customer,
        metadata: {},
        ...(shape === 'old'
          ? { invoice }
          : { payment_details: { customer_reference: null, order_reference: invoice } }),
      }),
    paid: (type = 'invoice.paid') =>
      send(type, {
        id: invoice,
        object: 'invoice',
        amount_paid: 2_000,
        amount_due: 2_000,
        billing_reason: 'subscription_cycle',
        currency: 'eur',
        customer,
        metadata: {},
        status: 'paid',
        ...(shape === 'old'
          ? { payment_intent: pi, subscription: sub, subscription_details: { metadata } }
          : { parent: { type: 'subscription_details', subscription_details: details } }),
      }),
    refunded: async (total: number) => {
      await send('charge.refunded', {
        ...intent,
        id: `ch_${name}`,
        object: 'charge',
        payment_intent: pi,
        customer,
        amount: 2_000,
        amount_captured: 2_000,
        amount_refunded: total,
        created: now(),
      })
      await earning.processed(`pay_${pi}`)
    },
  }
}

const WAYS = (['old', 'new'] as const).flatMap((shape) =>
  [['intent', 'paid'] as const, ['paid', 'intent'] as const].map(
    (order) => [shape, order] as const,
  ),
)

describe.each(WAYS)('a renewal in the %s API shape, reported in the order %j', (shape, order) => {
  test('earns by the invoice’s rule alone where there is one, however often it is reported', async () => {
    const { id, customer } = await member([
      { trigger: 'payment.completed', award: PER_EURO },
      { trigger: 'invoice.paid', award: PER_EURO_TWICE },
    ])
    const reported = await renewal(shape, customer)
    for (const event of [...order, ...order]) await reported[event]()
    await reported.paid('invoice.payment_succeeded')
    expect(await earning.balance(id)).toBe(40)
  })

  test('earns as a payment where no rule is the invoice’s', async () => {
    const { id, customer } = await member([{ trigger: 'payment.completed', award: PER_EURO }])
    const reported = await renewal(shape, customer)
    for (const event of order) await reported[event]()
    expect(await earning.balance(id)).toBe(20)
  })

  test('earns as a payment where the invoice’s rule does not match', async () => {
    const { id, customer } = await member([
      { trigger: 'payment.completed', award: PER_EURO },
      {
        trigger: 'invoice.paid',
        award: PER_EURO_TWICE,
        conditions: { metadata: { plan: 'gold' } },
      },
    ])
    const reported = await renewal(shape, customer, { plan: 'silver' })
    for (const event of order) await reported[event]()
    expect(await earning.balance(id)).toBe(20)
  })

  test('earns by its subscription’s metadata: its conditions, and the member that it names', async () => {
    const { id } = await member([
      {
        trigger: 'invoice.paid',
        award: PER_EURO_TWICE,
        conditions: { metadata: { plan: 'gold' } },
      },
    ])
    const reported = await renewal(shape, 'cus_nobody', { plan: 'gold', loyalty_account: id })
    for (const event of order) await reported[event]()
    expect(await earning.balance(id)).toBe(40)
  })

  test('whose member only the invoice names earns as a payment for it', async () => {
    const { id } = await member([{ trigger: 'payment.completed', award: PER_EURO }])
    const reported = await renewal(shape, null, { loyalty_account: id })
    for (const event of order) await reported[event]()
    expect(await earning.balance(id)).toBe(20)
  })

  test('is taken back by the refunds of its payment, and by a reversal no more than is left', async () => {
    const { id, customer } = await member([{ trigger: 'invoice.paid', award: PER_EURO }])
    const reported = await renewal(shape, customer)
    for (const event of order) await reported[event]()
    await reported.refunded(500)
    expect(await earning.balance(id)).toBe(15)
    const { body } = await shop.get(`/v1/loyalty/transactions?account=${id}&type=earn`)
    const reverse = `/v1/loyalty/transactions/${body.data[0].id}/reverse`
    expect((await shop.post(reverse, { reason: 'mistake' })).status).toBe(201)
    expect(await earning.balance(id)).toBe(0)
  })

  test('reported by both at once earns once', async () => {
    const { id, customer } = await member([
      { trigger: 'payment.completed', award: PER_EURO },
      { trigger: 'invoice.paid', award: PER_EURO },
    ])
    const renewals = await Promise.all([1, 2, 3, 4].map(() => renewal(shape, customer)))
    await Promise.all(renewals.flatMap((reported) => order.map((event) => reported[event]())))
    expect(await earning.balance(id)).toBe(80)
  })
})

describe('an invoice of the sandbox that names its payment', () => {
  test.each([
    ['the payment first', true],
    ['the invoice first', false],
  ])('earns once with it: %s', async (_order, paymentFirst) => {
    const { id, customer } = await member([
      { trigger: 'payment.completed', award: PER_EURO },
      { trigger: 'invoice.paid', award: PER_EURO },
    ])
    const payment = { id: newId('pay'), amount: 2_000, currency: 'eur', customer }
    const invoice = { ...payment, id: newId('op'), payment: payment.id }
    const events = [
      () => earning.report('payment.completed', payment),
      async () => {
        await earning.report('invoice.paid', invoice)
        await earning.processed(invoice.id)
      },
    ]
    for (const event of paymentFirst ? events : events.toReversed()) await event()
    expect(await earning.balance(id)).toBe(20)
  })
})

describe('a Stripe subscription', () => {
  const subscription = (customer: string, more: Fields = {}) => ({
    id: `sub_${newId('op').slice(3)}`,
    object: 'subscription',
    status: 'active',
    currency: 'eur',
    customer,
    metadata: {},
    items: {
      object: 'list',
      data: [{ id: 'si_1', quantity: 2, price: { currency: 'eur', unit_amount: 1_500 } }],
    },
    ...more,
  })
  const rules = [{ trigger: 'subscription.created', award: PER_EURO }]

  test('earns on what it costs a period when it is created, once', async () => {
    const { id, customer } = await member(rules)
    const object = subscription(customer)
    await send('customer.subscription.created', object)
    await send('customer.subscription.created', object)
    await send('customer.subscription.updated', object, { metadata: {} })
    expect(await earning.balance(id)).toBe(30)
  })

  test('whose first payment is due earns once that is made, and not by another update', async () => {
    const { id, customer } = await member(rules)
    const object = subscription(customer, { status: 'incomplete' })
    await send('customer.subscription.created', object)
    await send('customer.subscription.updated', { ...object, status: 'active' }, { quantity: 1 })
    expect(await earning.balance(id)).toBe(0)
    await send(
      'customer.subscription.updated',
      { ...object, status: 'active' },
      { status: 'incomplete' },
    )
    expect(await earning.balance(id)).toBe(30)
  })

  test('bought in a checkout applies the redemption that its session names, and earns once', async () => {
    const { id, customer } = await member([{ trigger: 'payment.completed', award: { fixed: 7 } }])
    const reported = await renewal('new', customer)
    const other = await earning.member()
    await shop.post('/v1/loyalty/transactions', { account: other.id, amount: 500, reason: 'gift' })
    const asked = { account: other.id, reward: 'rwd_fivecredit' }
    const { body } = await shop.post('/v1/loyalty/redemptions', asked)
    const cs = `cs_test_${reported.pi}`
    await send('checkout.session.completed', {
      id: cs,
      mode: 'subscription',
      payment_status: 'paid',
      payment_intent: null,
      invoice: reported.invoice,
      amount_total: 2_000,
      currency: 'eur',
      customer: null,
      metadata: { redemptions: body.id, amount_before_discounts: '2500' },
    })
    await reported.intent()
    await ended(shop, body.id)
    expect((await shop.get(`/v1/loyalty/redemptions/${body.id}`)).body).toMatchObject({
      status: 'applied',
      payment: `pay_${cs}`,
    })
    expect((await shop.get(`/v1/payments/pay_${cs}`)).body).toMatchObject({
      amount: 500,
      amount_charged: 0,
    })
    expect(await earning.balance(id)).toBe(7)
    expect(amounts(await earning.rows(`pay_${cs}`))).toEqual([['redeem', -500]])
  })
})

describe('the generic mapping', () => {
  const report = async (event: Fields) => {
    const body = JSON.stringify({ event: newId('evt'), at: now(), currency: 'EUR', ...event })
    const digest = createHmac('sha256', GENERIC_SECRET).update(body).digest('hex')
    const answer = await request(shop.app)
      .post(genericAddress)
      .set('Content-Type', 'application/json')
      .set('X-Shop-Signature', digest)
      .send(body)
    if (typeof event.number === 'string') await earning.processed(event.number)
    return answer
  }

  test('says invoices and subscriptions, with the member by customer or card', async () => {
    const { id, customer } = await member([
      { trigger: 'invoice.paid', award: PER_EURO },
      { trigger: 'subscription.created', award: { fixed: 5 } },
    ])
    const number = newId('op')
    const bill = { kind: 'billed', number, cents: 2_000, buyer: customer, order: `A${number}` }
    expect((await report(bill)).status).toBe(200)
    expect((await report(bill)).status).toBe(200)
    expect((await report({ kind: 'subscribed', number: newId('op'), card: id })).status).toBe(200)
    // the order that the invoice names is its payment
    await report({ kind: 'paid', order: `A${number}`, cents: 2_000, buyer: customer })
    expect(await earning.balance(id)).toBe(25)
  })

  test('names what is missing of a trigger by the sender’s own path', async () => {
    const answer = await report({ kind: 'billed', cents: 2_000 })
    expect([answer.status, answer.body.error.code, answer.body.error.param]).toEqual([
      400,
      'parameter_missing',
      'number',
    ])
  })
})

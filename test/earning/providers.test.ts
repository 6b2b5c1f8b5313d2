import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { workspaceCommands } from '../../app/workspaces.ts'
import { seedRule } from '../../dev/demo.ts'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { ended } from '../support/redeem.ts'
import { amounts, earningIn } from './earn.ts'

const STRIPE_SECRET = 'whsec_5b2f8d1c9e7a4036'
const GENERIC_SECRET = 'generic-secret'
const MAPPING = {
  header: 'x-shop-signature',
  encoding: 'base64',
  prefix: 'sha256=',
  event: { id: 'eventId', type: 'kind', created: 'at' },
  types: {
    'order.paid': 'payment.completed',
    'order.refunded': 'refund.created',
    'order.refund_bounced': 'refund.failed',
  },
  payment: {
    id: 'order.number',
    amount: 'order.total.cents',
    currency: 'order.total.currency',
    customer: 'order.buyer',
    loyalty_account: 'order.card',
  },
  refund: { id: 'refund.number', amount: 'refund.cents' },
}

let shop: Shop
let earning: ReturnType<typeof earningIn>
let stripeAddress: string
let genericAddress: string
beforeAll(async () => {
  shop = await openShop()
  await seedRule(shop.pool, shop.workspace)
  const { addPaymentSecret } = workspaceCommands({ pool: shop.pool })
  const { workspace } = shop
  const ofStripe = await addPaymentSecret(workspace, 'stripe', STRIPE_SECRET)
  const ofGeneric = await addPaymentSecret(workspace, 'generic', GENERIC_SECRET, MAPPING)
  stripeAddress = `/v1/webhooks/payments/stripe/${ofStripe}`
  genericAddress = `/v1/webhooks/payments/generic/${ofGeneric}`
  earning = earningIn(shop)
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

type Fields = { [name: string]: unknown }
type StripeEvent = {
  id: string
  created: number
  data: { object: Fields; previous_attributes?: Fields }
}

const now = () => Math.floor(Date.now() / 1_000)

/** A fixture of Stripe's own shape, of this moment, with some fields of its object changed. */
async function fixture(name: string, object: Fields = {}, id = newId('evt')): Promise<StripeEvent> {
  const event = JSON.parse(await readFile(new URL(`stripe/${name}.json`, import.meta.url), 'utf8'))
  return {
    ...event,
    id,
    created: now(),
    data: { ...event.data, object: { ...event.data.object, ...object } },
  }
}

function stripe(event: object, { secret = STRIPE_SECRET, at = now() } = {}) {
  const body = JSON.stringify(event)
  const digest = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')
  return request(shop.app)
    .post(stripeAddress)
    .set('Content-Type', 'application/json')
    .set(
      'Stripe-Signature',
      `t=${at},v1=${digest},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39`,
    )
    .send(body)
}

/** One member and one payment intent of theirs. */
async function intent() {
  const { id, customer } = await earning.member()
  const name = `pi_${newId('op').slice(3)}`
  const payment = `pay_${name}`
  const report = async (event: StripeEvent) => {
    expect((await stripe(event)).body).toMatchObject({ received: true })
    await earning.processed(payment)
  }
  const charge = { id: `ch_${name.slice(3)}`, payment_intent: name, customer }
  return { account: id, customer, name, payment, charge, report }
}

describe('Stripe', () => {
  test('payment_intent.succeeded earns for the customer that its id is linked to', async () => {
    const { account, customer, name, payment, report } = await intent()
    await report(await fixture('payment_intent.succeeded', { id: name, customer }))
    expect(await earning.balance(account)).toBe(42)
    const { body } = await shop.get(`/v1/payments/${payment}`)
    expect(body).toMatchObject({
      provider: 'stripe',
      status: 'completed',
      amount: 4_200,
      metadata: { order: '1001' },
    })
  })

  test('charge.refunded takes its step of the running total, in any order, once', async () => {
    const { account, customer, name, payment, charge, report } = await intent()
    const first = await fixture('charge.refunded', { ...charge, amount_refunded: 1_000 })
    const second = await fixture('charge.refunded', {
      ...charge,
      amount_refunded: 4_200,
      refunded: true,
    })
    second.data.previous_attributes = { amount_refunded: 1_000 }
    await report(second)
    await report(await fixture('payment_intent.succeeded', { id: name, customer }))
    await report(first)
    await report(second)
    expect(await earning.balance(account)).toBe(0)
    expect((await earning.rows(payment)).reduce((sum, { amount }) => sum + amount, 0)).toBe(0)
    expect((await shop.get(`/v1/payments/${payment}`)).body).toMatchObject({
      status: 'refunded',
      amount_refunded: 4_200,
    })
  })

  test('the refunds that it lists are known by their own ids', async () => {
    const { customer, name, payment, charge, report } = await intent()
    await report(await fixture('payment_intent.succeeded', { id: name, customer }))
    const refund = {
      id: `re_${name}`,
      object: 'refund',
      amount: 2_100,
      status: 'succeeded',
      payment_intent: name,
    }
    await report(
      await fixture('charge.refunded', {
        ...charge,
        refunds: { object: 'list', data: [refund], has_more: false },
      }),
    )
    expect(await earning.rows(payment)).toMatchObject([
      { amount: 42 },
      { amount: -21, source: { refund: refund.id } },
    ])
  })

  test('a refund that fails later gives the points back, once, though two events say so', async () => {
    const { account, customer, name, payment, charge, report } = await intent()
    await report(await fixture('payment_intent.succeeded', { id: name, customer }))
    await report(await fixture('charge.refunded', { ...charge, amount_refunded: 2_100 }))
    const again = await fixture('charge.refunded', { ...charge, amount_refunded: 4_200 })
    again.data.previous_attributes = { amount_refunded: 2_100 }
    await report(again)
    const failed = { id: `re_${name}`, payment_intent: name }
    await report(await fixture('refund.failed', failed))
    await report(await fixture('refund.failed', failed))
    expect(await earning.balance(account)).toBe(21)
    expect(amounts(await earning.rows(payment))).toEqual([
      ['earn', 42],
      ['clawback', -21],
      ['clawback', -21],
      ['clawback', 21],
    ])
  })

  test('charge.dispute.* take the points, and give them back when the dispute is won', async () => {
    const { account, customer, name, charge, report } = await intent()
    await report(await fixture('payment_intent.succeeded', { id: name, customer }))
    const dispute = { id: `dp_${name}`, charge: charge.id, payment_intent: name }
    await report(await fixture('charge.dispute.created', dispute))
    expect(await earning.balance(account)).toBe(0)
    const closed = await fixture('charge.dispute.created', { ...dispute, status: 'won' })
    await report({ ...closed, type: 'charge.dispute.closed' } as StripeEvent)
    expect(await earning.balance(account)).toBe(42)
  })

  test('krónur, which Stripe still sends with two decimals, are payments and refunds in whole ones', async () => {
    const { account, customer, name, payment, charge, report } = await intent()
    await shop.post('/v1/loyalty/earning_rules', {
      program: 'prog_default',
      name: 'Krónur',
      trigger: 'payment.completed',
      award: { per_amount: { points: 1, amount: 100, currency: 'isk' } },
    })
    const currency = 'isk'
    await report(
      await fixture('payment_intent.succeeded', {
        id: name,
        customer,
        currency,
        amount: 500_000,
        amount_received: 500_000,
        metadata: { amount_before_discounts: '600000' },
      }),
    )
    const refunded = { ...charge, currency, amount: 500_000, amount_captured: 500_000 }
    await report(await fixture('charge.refunded', { ...refunded, amount_refunded: 100_000 }))
    expect((await shop.get(`/v1/payments/${payment}`)).body).toMatchObject({
      currency,
      amount: 6_000,
      amount_charged: 5_000,
      amount_refunded: 1_000,
    })
    expect(await earning.balance(account)).toBe(40)
  })

  test('a redemption named in the metadata is applied by its intent, and released by an expired session', async () => {
    const redeem = async () =>
      (
        await shop.post('/v1/loyalty/redemptions', {
          account: 'loy_8sd2k1',
          reward: 'rwd_fivecredit',
        })
      ).body.id as string
    const [applied, released] = [await redeem(), await redeem()]
    const { name, payment, report } = await intent()
    const metadata = { redemptions: applied, amount_before_discounts: '2999' }
    await report(
      await fixture('payment_intent.succeeded', {
        id: name,
        customer: null,
        amount: 2_499,
        amount_received: 2_499,
        metadata,
      }),
    )
    await ended(shop, applied)
    expect((await shop.get(`/v1/payments/${payment}`)).body).toMatchObject({
      amount: 2_999,
      amount_charged: 2_499,
      redemptions: [applied],
    })
    const session = await fixture('checkout.session.expired', {
      id: `cs_${name}`,
      metadata: { ...metadata, redemptions: released },
    })
    expect((await stripe(session)).status).toBe(200)
    await ended(shop, released)
    const statuses = [applied, released].map(
      async (id) => (await shop.get(`/v1/loyalty/redemptions/${id}`)).body.status,
    )
    expect(await Promise.all(statuses)).toEqual(['applied', 'released'])
  })

  test('a decline that may be tried again leaves the payment open', async () => {
    const { customer, name, payment, report } = await intent()
    const event = await fixture('payment_intent.succeeded', {
      id: name,
      customer,
      amount_received: 0,
      status: 'requires_payment_method',
    })
    await report({ ...event, type: 'payment_intent.payment_failed' } as StripeEvent)
    expect((await shop.get(`/v1/payments/${payment}`)).body.status).toBe('requires_payment')
  })

  test('other events are kept, and nothing follows', async () => {
    const event = { ...(await fixture('payment_intent.succeeded')), type: 'customer.updated' }
    expect((await stripe(event)).body).toEqual({ received: true, duplicate: false })
    const { rows } = await shop.owner.query(
      'select type, processed_at is not null as done from inbox where id = $1',
      [event.id],
    )
    expect(rows).toEqual([{ type: 'customer.updated', done: true }])
  })

  test.each([
    ['another secret', { secret: 'whsec_other' }],
    ['a time too long ago', { at: now() - 301 }],
  ])('a signature with %s is refused', async (_what, options) => {
    const answer = await stripe(await fixture('payment_intent.succeeded'), options)
    expect([answer.status, answer.body.error.code]).toEqual([400, 'invalid_signature'])
  })

  test('a time that no payment can have is refused, not a failure', async () => {
    const event = { ...(await fixture('payment_intent.succeeded')), created: 1e13 }
    const answer = await stripe(event)
    expect([answer.status, answer.body.error.param]).toEqual([400, 'created'])
  })

  test('what is no event of Stripe’s is refused by the name of what is wrong', async () => {
    const event = await fixture('payment_intent.succeeded', { amount: '42' })
    const answer = await stripe(event)
    expect([answer.status, answer.body.error.param]).toEqual([400, 'data.object.amount'])
  })
})

describe('the generic provider', () => {
  const send = (body: object, secret = GENERIC_SECRET) => {
    const text = JSON.stringify(body)
    const digest = createHmac('sha256', secret).update(text).digest('base64')
    return request(shop.app)
      .post(genericAddress)
      .set('Content-Type', 'application/json')
      .set('X-Shop-Signature', `sha256=${digest}`)
      .send(text)
  }
  const order = (more: object = {}) => ({
    eventId: newId('evt'),
    kind: 'order.paid',
    at: new Date().toISOString(),
    order: {
      number: `A${newId('op').slice(-9)}`,
      total: { cents: 4_200, currency: 'EUR' },
      ...more,
    },
  })

  test('earns, refunds and takes a refund back by the workspace’s mapping', async () => {
    const { id, customer } = await earning.member()
    const paid = order({ buyer: customer })
    const payment = `pay_${paid.order.number}`
    expect((await send(paid)).body).toEqual({ received: true, duplicate: false })
    expect((await send(paid)).body).toEqual({ received: true, duplicate: true })
    await earning.processed(payment)
    expect(await earning.balance(id)).toBe(42)
    const refund = {
      ...paid,
      eventId: newId('evt'),
      kind: 'order.refunded',
      refund: { number: `R${payment}`, cents: 2_100 },
    }
    await send(refund)
    await earning.processed(payment)
    expect(await earning.balance(id)).toBe(21)
    await send({ ...refund, eventId: newId('evt'), kind: 'order.refund_bounced' })
    await earning.processed(payment)
    expect(await earning.balance(id)).toBe(42)
  })

  test('pins a member by the field that the mapping names', async () => {
    const { id } = await earning.member()
    const paid = order({ card: id })
    await send(paid)
    await earning.processed(`pay_${paid.order.number}`)
    expect(await earning.balance(id)).toBe(42)
  })

  test.each([
    ['no event id', { eventId: undefined }, 'parameter_missing', 'eventId'],
    [
      'no payment id',
      { order: { total: { cents: 1, currency: 'EUR' } } },
      'parameter_missing',
      'order.number',
    ],
    [
      'no amount',
      { order: { number: 'A1', total: { currency: 'EUR' } } },
      'parameter_missing',
      'order.total.cents',
    ],
    [
      'a currency that is none',
      { order: { number: 'A1', total: { cents: 1, currency: 'QQQ' } } },
      'parameter_invalid',
      'order.total.currency',
    ],
  ])(
    'where the mapping yields %s the event is refused by the sender’s own name for it',
    async (_what, more, code, param) => {
      const answer = await send({ ...order(), ...more })
      expect([answer.status, answer.body.error.code, answer.body.error.param]).toEqual([
        400,
        code,
        param,
      ])
    },
  )

  test('keeps a type that the mapping does not name', async () => {
    expect((await send({ ...order(), kind: 'order.shipped' })).status).toBe(200)
  })

  test('refuses another secret', async () => {
    expect((await send(order(), 'other')).body.error.code).toBe('invalid_signature')
  })
})

test('a provider that does not exist is 404', async () => {
  const answer = await shop.webhook({ id: 'evt_1' }, { path: '/v1/webhooks/payments/paypal' })
  expect([answer.status, answer.body.error.code]).toEqual([404, 'resource_missing'])
})

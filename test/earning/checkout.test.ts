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

const SECRET = 'whsec_5b2f8d1c9e7a4036'
const REWARD = 'rwd_fivecredit' // EUR 5.00 for 500 points

let shop: Shop
let endpoint: string
let earning: ReturnType<typeof earningIn>
beforeAll(async () => {
  shop = await openShop()
  await seedRule(shop.pool, shop.workspace)
  const { addPaymentSecret } = workspaceCommands({ pool: shop.pool })
  endpoint = await addPaymentSecret(shop.workspace, 'stripe', SECRET)
  earning = earningIn(shop)
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

type Fields = { [name: string]: unknown }

const now = () => Math.floor(Date.now() / 1_000)

/** Stripe reports one event, and what follows from it has been done. */
async function report(type: string, object: Fields, payment: string): Promise<void> {
  const name = type.startsWith('checkout')
    ? 'checkout.session.completed'
    : 'payment_intent.succeeded'
  const event = JSON.parse(await readFile(new URL(`stripe/${name}.json`, import.meta.url), 'utf8'))
  const data = { ...event.data, object: { ...event.data.object, ...object } }
  const body = JSON.stringify({ ...event, type, id: newId('evt'), created: now(), data })
  const digest = createHmac('sha256', SECRET).update(`${now()}.${body}`).digest('hex')
  const answer = await request(shop.app)
    .post(`/v1/webhooks/payments/stripe/${endpoint}`)
    .set('Content-Type', 'application/json')
    .set('Stripe-Signature', `t=${now()},v1=${digest}`)
    .send(body)
  expect([answer.status, answer.body]).toMatchObject([200, { received: true }])
  await earning.processed(payment)
}

/** A checkout of EUR 42.00 by a guest: what its session and its intent say. */
function checkout({ amount = 4_200, free = false } = {}) {
  const name = newId('op').slice(3)
  const [cs, pi] = [`cs_test_${name}`, free ? null : `pi_${name}`]
  const payment = `pay_${pi ?? cs}`
  return {
    payment,
    session: (object: Fields = {}, type = 'checkout.session.completed') =>
      report(
        type,
        {
          id: cs,
          payment_intent: pi,
          amount_total: amount,
          ...(free && { payment_status: 'no_payment_required' }),
          ...object,
        },
        payment,
      ),
    intent: (object: Fields = {}, type = 'payment_intent.succeeded') =>
      report(
        type,
        { id: pi, amount, amount_received: amount, customer: null, metadata: {}, ...object },
        payment,
      ),
    shown: async () => (await shop.get(`/v1/payments/${payment}`)).body,
  }
}

async function redeem(account: string): Promise<string> {
  await shop.post('/v1/loyalty/transactions', { account, amount: 500, reason: 'gift' })
  const { status, body } = await shop.post('/v1/loyalty/redemptions', { account, reward: REWARD })
  expect(status).toBe(201)
  return body.id
}
const redemption = async (id: string) => (await shop.get(`/v1/loyalty/redemptions/${id}`)).body

const ORDERS = [
  ['the session first', ['session', 'intent']],
  ['the intent first', ['intent', 'session']],
] as const

describe.each(ORDERS)('a completed checkout session, %s', (_order, events) => {
  test('applies the redemption that it names, and its member earns on what was charged', async () => {
    const member = await earning.member()
    const held = await redeem(member.id)
    const { payment, shown, ...reported } = checkout({ amount: 3_700 })
    const metadata = { redemptions: held, amount_before_discounts: '4200' }
    for (const event of events) {
      await reported[event](event === 'session' ? { customer: member.customer, metadata } : {})
    }
    await ended(shop, held)
    expect(await redemption(held)).toMatchObject({ status: 'applied', payment })
    expect(await shown()).toMatchObject({
      status: 'completed',
      amount: 4_200,
      amount_charged: 3_700,
      customer: member.customer,
      redemptions: [held],
    })
    expect(amounts(await earning.rows(payment))).toEqual([
      ['redeem', -500],
      ['earn', 37],
    ])
  })

  test('knows the price before a coupon by what Stripe took off', async () => {
    const member = await earning.member()
    const held = await redeem(member.id)
    const { shown, ...reported } = checkout({ amount: 3_700 })
    const object = {
      customer: member.customer,
      metadata: { redemptions: held },
      total_details: { amount_discount: 500 },
    }
    for (const event of events) await reported[event](event === 'session' ? object : {})
    await ended(shop, held)
    expect(await shown()).toMatchObject({ amount: 4_200, amount_charged: 3_700 })
  })

  test.each([
    ['metadata.loyalty_account', (id: string) => ({ metadata: { loyalty_account: id } })],
    ['client_reference_id, an account', (id: string) => ({ client_reference_id: id })],
    [
      'client_reference_id, a customer',
      (_id: string, customer: string) => ({ client_reference_id: customer }),
    ],
    ['customer', (_id: string, customer: string) => ({ customer })],
  ])('earns once for the member named by %s', async (_how, object) => {
    const member = await earning.member()
    const { payment, ...reported } = checkout()
    for (const event of [...events, ...events]) {
      await reported[event](event === 'session' ? object(member.id, member.customer) : {})
    }
    expect(amounts(await earning.rows(payment))).toEqual([['earn', 42]])
    expect(await earning.balance(member.id)).toBe(42)
  })

  test('earns by a rule whose conditions only the session meets', async () => {
    const member = await earning.member()
    const more = { conditions: { metadata: { campaign: `c_${member.id}` } }, award: { fixed: 7 } }
    await earning.rule(more)
    const { payment, ...reported } = checkout()
    for (const event of events) {
      const metadata = event === 'session' ? { campaign: `c_${member.id}` } : {}
      await reported[event]({ customer: member.customer, metadata })
    }
    const earned = (await earning.rows(payment)).map(({ amount }) => amount)
    expect(earned.toSorted((one, other) => one - other)).toEqual([7, 42])
  })

  test('whose redemption ran out meanwhile is flagged as a late payment', async () => {
    const member = await earning.member()
    const held = await redeem(member.id)
    await shop.post(`/v1/loyalty/redemptions/${held}/cancel`)
    const { payment, shown, ...reported } = checkout({ amount: 3_700 })
    const metadata = { redemptions: held, amount_before_discounts: '4200' }
    for (const event of events) {
      await reported[event](event === 'session' ? { customer: member.customer, metadata } : {})
    }
    await expect
      .poll(async () => (await redemption(held)).late_payment)
      .toMatchObject({ payment, outcome: 'flagged' })
    expect(await shown()).toMatchObject({ amount: 4_200, amount_charged: 3_700 })
  })
})

describe('a checkout session', () => {
  test('of a free order is its own payment: the redemption is applied, a fixed award earned, once', async () => {
    const member = await earning.member()
    const held = await redeem(member.id)
    await earning.rule({ conditions: { metadata: { order: held } }, award: { fixed: 7 } })
    const { payment, session, shown } = checkout({ amount: 0, free: true })
    const object = {
      client_reference_id: member.id,
      metadata: { redemptions: held, amount_before_discounts: '500', order: held },
    }
    await session(object)
    await session(object)
    await ended(shop, held)
    expect(await redemption(held)).toMatchObject({ status: 'applied', payment })
    expect(await shown()).toMatchObject({ status: 'completed', amount: 500, amount_charged: 0 })
    expect(amounts(await earning.rows(payment))).toEqual([
      ['redeem', -500],
      ['earn', 7],
    ])
  })

  test('whose money comes later holds the redemption until it has come', async () => {
    const member = await earning.member()
    const held = await redeem(member.id)
    const { payment, session, shown } = checkout({ amount: 3_700 })
    const object = {
      payment_status: 'unpaid',
      client_reference_id: member.id,
      metadata: { redemptions: held, amount_before_discounts: '4200' },
    }
    await session(object)
    expect([(await shown()).status, (await redemption(held)).status]).toEqual([
      'processing',
      'pending',
    ])
    await session({ ...object, payment_status: 'paid' }, 'checkout.session.async_payment_succeeded')
    await ended(shop, held)
    expect((await redemption(held)).status).toBe('applied')
    expect(amounts(await earning.rows(payment))).toContainEqual(['earn', 37])
  })

  test('whose money never comes releases it', async () => {
    const member = await earning.member()
    const held = await redeem(member.id)
    const { session, shown } = checkout({ amount: 3_700 })
    const metadata = { redemptions: held, amount_before_discounts: '4200' }
    await session({ payment_status: 'unpaid', metadata })
    await session({ payment_status: 'unpaid', metadata }, 'checkout.session.async_payment_failed')
    await ended(shop, held)
    expect([(await shown()).status, (await redemption(held)).status]).toEqual([
      'failed',
      'released',
    ])
    expect(await earning.balance(member.id)).toBe(500)
  })

  test('whose reference is a cart names nobody, and refuses no redemption', async () => {
    const member = await earning.member()
    const held = await redeem(member.id)
    const { payment, session } = checkout({ amount: 3_700 })
    const metadata = { redemptions: held, amount_before_discounts: '4200' }
    await session({ client_reference_id: 'cart_1001', metadata })
    await ended(shop, held)
    expect((await redemption(held)).status).toBe('applied')
    expect(amounts(await earning.rows(payment))).toEqual([['redeem', -500]])
  })

  test('that sets up a card is no payment', async () => {
    const { session, shown } = checkout({ free: true })
    await session({ mode: 'setup', amount_total: null, currency: null })
    expect((await shown()).error.code).toBe('resource_missing')
  })

  test('a redemption refused by several of its events is recorded once', async () => {
    const other = await earning.member()
    const held = await redeem(other.id)
    const { session, intent, shown } = checkout()
    const metadata = { redemptions: held, loyalty_account: (await earning.member()).id }
    await session({ metadata })
    await intent({ metadata })
    expect((await shown()).refused_discounts).toMatchObject([
      { redemption: held, code: 'redemption_account_mismatch' },
    ])
    expect((await redemption(held)).status).toBe('pending')
  })
})

test('a sandbox payment reported again with its redemption is given it, in one discount', async () => {
  const member = await earning.member()
  const held = await redeem(member.id)
  const data = { id: newId('pay'), amount: 4_200, currency: 'eur', customer: member.customer }
  await earning.report('payment.created', data)
  const completed = { ...data, amount_charged: 3_700, redemptions: [held] }
  await earning.report('payment.completed', completed)
  await earning.report('payment.completed', completed)
  await ended(shop, held)
  const { body } = await shop.get(`/v1/payments/${data.id}`)
  expect(body).toMatchObject({ amount_charged: 3_700, redemptions: [held] })
  expect((await redemption(held)).status).toBe('applied')
  expect(amounts(await earning.rows(data.id))).toEqual([
    ['redeem', -500],
    ['earn', 37],
  ])
})

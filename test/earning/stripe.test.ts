import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seedRule } from '../../dev/demo.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { ended } from '../support/redeem.ts'
import { amounts } from './earn.ts'
import { type Fields, stripeEvent, stripeIn, unixNow } from './stripe-events.ts'

const DAY_S = 86_400

let shop: Shop
let stripe: Awaited<ReturnType<typeof stripeIn>>
beforeAll(async () => {
  shop = await openShop()
  await seedRule(shop.pool, shop.workspace)
  stripe = await stripeIn(shop)
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

describe('an authorisation that was never captured', () => {
  // as the charge says it from 2025-03-31 on, before that, and in the versions that list refunds
  const UNCAPTURED: [string, Fields][] = [
    ['nothing captured', { captured: false, amount_captured: 0 }],
    ['no amount captured', { captured: false, amount_captured: null }],
    ['its release listed as a refund', { captured: false, refunds: { data: [released(9_500)] } }],
  ]
  const ORDERS = ['charge first', 'intent first', 'intent opened before, charge first'] as const

  describe.each(['flag', 'rehold'] as const)('in a program that says %s', (latePayment) => {
    beforeAll(() =>
      shop.owner.query('update program set late_payment = $2 where workspace = $1', [
        shop.workspace,
        latePayment,
      ]),
    )
    test.each(
      ORDERS.flatMap((order) => UNCAPTURED.map(([name, says]) => [order, name, says] as const)),
    )('is a canceled payment that releases its redemption: %s, %s', async (order, _name, says) => {
      const payment = await stripe.intent()
      const { account, customer, pi, ch, tell } = payment
      await shop.post('/v1/loyalty/transactions', { account, amount: 500, reason: 'gift' })
      const { body } = await shop.post('/v1/loyalty/redemptions', {
        account,
        reward: 'rwd_fivecredit',
      })
      const metadata = { redemptions: body.id, amount_before_discounts: '10000' }
      const intentIs = async (type: string) =>
        tell(
          await stripeEvent(
            'payment_intent.succeeded',
            { id: pi, customer, amount: 9_500, amount_received: 0, metadata },
            { type: `payment_intent.${type}` },
          ),
        )
      const chargeReleased = async () =>
        tell(
          await stripeEvent('charge.refunded', {
            id: ch,
            payment_intent: pi,
            customer,
            amount: 9_500,
            amount_refunded: 9_500,
            refunded: true,
            metadata,
            ...says,
          }),
        )
      if (order === 'intent opened before, charge first') await intentIs('created')
      if (order === 'intent first') await intentIs('canceled')
      await chargeReleased()
      if (order !== 'intent first') await intentIs('canceled')

      expect(await ended(shop, body.id)).toMatchObject({ status: 'released' })
      const redemption = (await shop.get(`/v1/loyalty/redemptions/${body.id}`)).body
      expect(redemption).toMatchObject({ status: 'released', applied_at: null })
      expect(redemption.late_payment).toBeUndefined()
      expect(await payment.shown()).toMatchObject({ status: 'canceled', amount_refunded: 0 })
      const { balance, lifetime_points } = await stripe.account(account)
      expect([balance, lifetime_points]).toEqual([500, 500])
      expect(await stripe.rows(payment.payment)).not.toContainEqual(
        expect.objectContaining({ type: 'earn' }),
      )
    })
  })
})

describe('a refund of a payment that was never told before', () => {
  test.each([
    ['with a step of its total', {}],
    [
      'with its refunds listed',
      { refunds: { data: [{ ...released(1_000), status: 'succeeded' }] } },
    ],
  ])('earns nothing for who joined after the charge was made: %s', async (_what, more) => {
    const { account, payment, refunded } = await stripe.intent()
    const made = { amount: 10_000, amount_captured: 10_000, created: unixNow() - 30 * DAY_S }
    await refunded(1_000, 0, { ...made, ...more })
    expect(await stripe.rows(payment)).toEqual([])
    const { balance, lifetime_points } = await stripe.account(account)
    expect([balance, lifetime_points]).toEqual([0, 0])
  })

  test('earns what is left of it for who was a member when the charge was made', async () => {
    const { account, payment, refunded } = await stripe.intent()
    await shop.owner.query(
      `update account set created_at = now() - interval '40 days' where id = $1`,
      [account],
    )
    await refunded(1_000, 0, {
      amount: 10_000,
      amount_captured: 10_000,
      created: unixNow() - 30 * DAY_S,
    })
    expect(amounts(await stripe.rows(payment))).toEqual([
      ['earn', 100],
      ['clawback', -10],
    ])
  })
})

describe('a dispute inquiry', () => {
  test('takes nothing, whether it stays open or is closed', async () => {
    const { balance, succeeded, dispute, payment } = await stripe.intent()
    await succeeded(4_200)
    await dispute('charge.dispute.created', 'warning_needs_response')
    await dispute('charge.dispute.updated', 'warning_under_review')
    expect(await balance()).toBe(42)
    await dispute('charge.dispute.closed', 'warning_closed')
    expect(amounts(await stripe.rows(payment))).toEqual([['earn', 42]])
  })

  test.each([
    ['is escalated', 'charge.dispute.updated', 'needs_response'],
    ['withdraws the funds', 'charge.dispute.funds_withdrawn', 'warning_under_review'],
  ])('that %s takes all, once, though it is told after that', async (_what, type, status) => {
    const { balance, succeeded, dispute } = await stripe.intent()
    await succeeded(4_200)
    await dispute(type, status)
    await dispute('charge.dispute.created', 'warning_needs_response')
    expect(await balance()).toBe(0)
    await dispute('charge.dispute.closed', 'won')
    expect(await balance()).toBe(42)
  })
})

/** The refund that Stripe makes of an authorisation's rest, in the versions before 2025-03-31. */
function released(amount: number, id = `re_released_${Math.random()}`) {
  return { id, object: 'refund', amount, status: 'succeeded', created: unixNow(), reason: null }
}

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
      const { account, customer, pi, ch, report } = payment
      await shop.post('/v1/loyalty/transactions', { account, amount: 500, reason: 'gift' })
      const { body } = await shop.post('/v1/loyalty/redemptions', {
        account,
        reward: 'rwd_fivecredit',
      })
      const metadata = { redemptions: body.id, amount_before_discounts: '10000' }
      const intentIs = async (type: string) =>
        report(
          await stripeEvent(
            'payment_intent.succeeded',
            { id: pi, customer, amount: 9_500, amount_received: 0, metadata },
            { type: `payment_intent.${type}` },
          ),
        )
      const chargeReleased = async () =>
        report(
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

describe('a refund of a payment that was never reported before', () => {
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
  ])('that %s takes all, once, though it is reported after that', async (_what, type, status) => {
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

describe('a refund made again after one that failed', () => {
  const listing = (...data: Fields[]) => ({ refunds: { object: 'list', data, has_more: false } })
  const refund = (id: string, amount: number, status = 'succeeded') => ({ id, amount, status })

  test('takes the points again, though the charge’s total is the same as before', async () => {
    const { balance, succeeded, refunded, refund: reported, pi, shown } = await stripe.intent()
    await succeeded(10_000)
    await refunded(10_000, 0)
    expect(await balance()).toBe(0)
    await reported('refund.failed', { id: `re_${pi}`, amount: 10_000, status: 'failed' })
    expect(await balance()).toBe(100)
    await refunded(10_000, 0)
    expect(await balance()).toBe(0)
    expect(await shown()).toMatchObject({ status: 'refunded', amount_refunded: 10_000 })
  })

  test('is taken once in the end where the failure is reported last', async () => {
    const { balance, succeeded, refunded, refund: reported, pi } = await stripe.intent()
    await succeeded(10_000)
    await refunded(4_000, 0)
    await refunded(4_000, 0)
    await reported('refund.failed', { id: `re_${pi}`, amount: 4_000, status: 'failed' })
    expect(await balance()).toBe(60)
  })

  test.each([
    ['step', (_pi: string | null) => ({})],
    ['entry of the list', (pi: string | null) => listing(refund(`re_${pi}`, 4_000))],
  ])('a failure that comes before its %s leaves nothing taken', async (_what, more) => {
    const { balance, succeeded, refunded, refund: reported, pi, shown } = await stripe.intent()
    await succeeded(10_000)
    await reported('refund.failed', { id: `re_${pi}`, amount: 4_000, status: 'failed' })
    await reported('charge.refund.updated', { id: `re_${pi}`, amount: 4_000, status: 'failed' })
    await refunded(4_000, 0, more(pi))
    expect(await balance()).toBe(100)
    expect(await shown()).toMatchObject({ status: 'completed', amount_refunded: 0 })
    await refunded(4_000, 0)
    expect(await balance()).toBe(60)
  })

  test('a failure before its payment is known waits for it and for its step', async () => {
    const { balance, succeeded, refunded, refund: reported, pi } = await stripe.intent()
    await reported('refund.failed', { id: `re_${pi}`, amount: 4_000, status: 'failed' })
    await refunded(4_000, 0, { amount: 10_000, amount_captured: 10_000 })
    await succeeded(10_000)
    expect(await balance()).toBe(100)
  })

  test.each(['refund.updated', 'charge.refund.updated'])(
    'a pending refund has succeeded by %s',
    async (type) => {
      const { succeeded, refunded, refund: reported, pi, shown, balance } = await stripe.intent()
      await succeeded(10_000)
      await refunded(4_000, 0, listing(refund(`re_${pi}`, 4_000, 'pending')))
      expect((await shown()).refunds).toMatchObject([{ id: `re_${pi}`, status: 'pending' }])
      await reported(type, { id: `re_${pi}`, amount: 4_000, status: 'succeeded' })
      expect((await shown()).refunds).toMatchObject([{ id: `re_${pi}`, status: 'succeeded' }])
      await reported(type, { id: `re_other_${pi}`, amount: 4_000, status: 'succeeded' })
      expect(await balance()).toBe(60)
    },
  )

  test('the failure of a charge without an intent reaches its payment', async () => {
    const { balance, refunded, refund: reported, ch } = await stripe.intent({ of: 'charge' })
    await refunded(4_000, 0, { amount: 10_000, amount_captured: 10_000 })
    expect(await balance()).toBe(60)
    await reported('refund.failed', { id: `re_${ch}`, amount: 4_000, status: 'failed' })
    expect(await balance()).toBe(100)
  })
})

describe('what was authorised and not captured', () => {
  const whole = (data: Fields[]) => ({ refunds: { object: 'list', data, has_more: false } })
  const rest = released(5_000, 're_rest')
  const refund = { id: 're_refund', amount: 3_000, status: 'succeeded', created: unixNow() }
  const old = { api_version: '2022-08-01' }

  // each version, with the capture's own charge.refunded where there is one
  const VERSIONS: [string, [number, number, Fields, object][]][] = [
    ['2025-03-31.basil', [[3_000, 0, {}, { api_version: '2025-03-31.basil' }]]],
    [
      '2024-06-20',
      [
        [5_000, 0, {}, {}],
        [8_000, 5_000, {}, {}],
      ],
    ],
    [
      '2022-08-01',
      [
        [5_000, 0, whole([rest]), old],
        [8_000, 5_000, whole([refund, rest]), old],
      ],
    ],
    [
      '2022-08-01, in any order',
      [[8_000, 5_000, whole([rest, { ...refund, created: rest.created + 9 }]), old]],
    ],
  ]
  describe.each(VERSIONS)('in %s', (_version, events) => {
    test.each([
      ['', { amount_captured: 15_000 }],
      [', the amount captured untold', { amount_captured: null }],
    ])(
      'is no refund: 200 authorised, 150 captured and 30 refunded leave 120%s',
      async (_what, says) => {
        const { balance, succeeded, refunded, account, pi } = await stripe.intent()
        await succeeded(15_000, { amount: 20_000 })
        const ids = JSON.stringify(events).replaceAll(/re_(rest|refund)/g, `re_$1_${pi}`)
        for (const [total, before, object, more] of JSON.parse(ids) as typeof events) {
          await refunded(total, before, { amount: 20_000, ...says, ...object }, more)
        }
        expect(await balance()).toBe(120)
        expect((await stripe.account(account)).lifetime_points).toBe(150)
      },
    )

    test('is no refund where the charge comes before its intent', async () => {
      const { balance, succeeded, refunded, pi } = await stripe.intent()
      const ids = JSON.stringify(events).replaceAll(/re_(rest|refund)/g, `re_$1_${pi}`)
      for (const [total, before, object, more] of (JSON.parse(ids) as typeof events).toReversed()) {
        await refunded(total, before, { amount: 20_000, amount_captured: 15_000, ...object }, more)
      }
      await succeeded(15_000, { amount: 20_000 })
      expect(await balance()).toBe(120)
    })
  })

  test('a refund of as much as was not captured is one, from 2025-03-31 on', async () => {
    const { balance, succeeded, refunded } = await stripe.intent()
    await succeeded(15_000, { amount: 20_000 })
    const charge = { amount: 20_000, amount_captured: 15_000 }
    await refunded(5_000, 0, charge, { api_version: '2025-03-31.basil' })
    expect(await balance()).toBe(100)
  })
})

describe('a total that falls', () => {
  test('gives back what it falls by, before or after its failure is reported', async () => {
    const { balance, succeeded, refunded, refund: reported, pi, shown } = await stripe.intent()
    await succeeded(1_000)
    await refunded(500, 0)
    await refunded(100, 500)
    expect(await balance()).toBe(9)
    expect(await shown()).toMatchObject({ status: 'partially_refunded', amount_refunded: 100 })
    await reported('refund.failed', { id: `re_${pi}`, amount: 400, status: 'failed' })
    expect(await balance()).toBe(9)
  })

  test('reported before what it falls from leaves as much in the end', async () => {
    const { balance, succeeded, refunded, shown } = await stripe.intent()
    await succeeded(1_000)
    await refunded(100, 500)
    expect(await balance()).toBe(10)
    await refunded(500, 0)
    expect(await balance()).toBe(9)
    expect((await shown()).refunds.every(({ amount }: { amount: number }) => amount >= 0)).toBe(
      true,
    )
  })
})

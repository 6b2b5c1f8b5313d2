import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { balanceOf, ended } from '../support/redeem.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const REDEMPTIONS = '/v1/loyalty/redemptions'
const reverse = (id: string, body: object = {}, idempotencyKey?: string) =>
  shop.post(
    `${REDEMPTIONS}/${id}/reverse`,
    { reason: 'applied_in_error', ...body },
    { idempotencyKey },
  )

/** A discount applied by a completed sandbox payment of EUR 29.99. */
async function applied(more: object = {}) {
  const body = { account: 'loy_8sd2k1', reward: 'rwd_fivecredit', ...more }
  const redemption = (await shop.post(REDEMPTIONS, body)).body
  const payment = await shop.post('/v1/payments', {
    amount: 2_999,
    currency: 'EUR',
    card: '4242424242424242',
    discounts: [{ redemption: redemption.id }],
  })
  await ended(shop, redemption.id)
  return { id: redemption.id as string, payment: payment.body.id as string }
}
const paymentOf = async (id: string) => (await shop.get(`/v1/payments/${id}`)).body

describe('the reversal of an applied discount', () => {
  it('says that the payment keeps its charge, and offers what the discount took off it', async () => {
    const before = await balanceOf(shop)
    const { id, payment } = await applied()
    const { status, body } = await reverse(id)
    expect([status, body.status]).toEqual([200, 'reversed'])
    expect(body.payment_unaffected).toEqual({
      payment,
      currency: 'eur',
      discounted: 500,
      refund_offer: { payment, amount: 500 },
      refunds: [],
    })
    expect(await balanceOf(shop)).toBe(before)
    expect(await paymentOf(payment)).toMatchObject({ status: 'completed', amount_charged: 2_499 })
    // the offer is the body of the refund
    const refund = await shop.post('/v1/refunds', body.payment_unaffected.refund_offer)
    expect(refund.body).toMatchObject({ payment, amount: 500, status: 'succeeded' })
  })

  it('asked for at once with one key is in every answer', async () => {
    for (let round = 1; round <= 5; round++) {
      const body = { account: 'loy_8sd2k1', reward: 'rwd_fivecredit' }
      const { id } = (await shop.post(REDEMPTIONS, body)).body
      const asked = Array.from({ length: 12 }, () => reverse(id, {}, `at-once-${round}`))
      const answers = await Promise.all(asked)
      const said = new Set(answers.map((one) => `${one.status} ${one.body.status}`))
      expect([...said]).toEqual(['200 reversed'])
    }
  })

  it('makes the refund with it where asked, once for one key', async () => {
    const { id, payment } = await applied()
    const first = await reverse(id, { refund_payment: true }, 'undo-1')
    expect(first.status).toBe(200)
    const { refunds, ...rest } = first.body.payment_unaffected
    expect(rest).toEqual({ payment, currency: 'eur', discounted: 500, refund_offer: null })
    expect(refunds).toEqual([expect.stringMatching(/^re_/)])
    const again = await reverse(id, { refund_payment: true }, 'undo-1')
    expect([again.headers['idempotent-replayed'], again.body]).toEqual(['true', first.body])
    const paid = await paymentOf(payment)
    expect(paid).toMatchObject({ status: 'partially_refunded', amount_charged: 2_499 })
    expect(paid.refunds).toMatchObject([{ id: refunds[0], amount: 500 }])
  })

  it('goes on with the refund as with any: what the payment earned is taken back in proportion', async () => {
    await shop.post('/v1/loyalty/earning_rules', {
      award: { per_amount: { points: 1, amount: 100, currency: 'eur' } },
    })
    const body = { account: 'loy_9f2k', reward: 'rwd_fivecredit' }
    const redemption = (await shop.post(REDEMPTIONS, body)).body
    await shop.post('/v1/payments', {
      amount: 2_999,
      currency: 'EUR',
      customer: 'cust_abc123',
      card: '4242424242424242',
      discounts: [{ redemption: redemption.id }],
    })
    await ended(shop, redemption.id)
    await reverse(redemption.id, { refund_payment: true })
    await expect
      .poll(
        async () =>
          (await shop.get('/v1/loyalty/transactions?account=loy_9f2k&type=clawback')).body.data.map(
            ({ amount }: { amount: number }) => amount,
          ),
        { timeout: 20_000 },
      )
      .toEqual([-4]) // floor(24 x 500 / 2499)
  })

  it('in part offers its share, and what was refunded already is not offered again', async () => {
    const { id, payment } = await applied({ quantity: 2 })
    const half = await reverse(id, { quantity: 1, refund_payment: true })
    expect(half.body).toMatchObject({
      status: 'applied',
      reversed_points: 500,
      reversed_quantity: 1,
    })
    expect(half.body.payment_unaffected).toMatchObject({ discounted: 500, refund_offer: null })
    const more = await reverse(id, { points: 250 })
    expect(more.body.payment_unaffected).toMatchObject({
      discounted: 750,
      refund_offer: { payment, amount: 250 },
    })
    const rest = await reverse(id, { refund_payment: true })
    expect(rest.body).toMatchObject({ status: 'reversed' })
    expect(rest.body.payment_unaffected).toMatchObject({ discounted: 1_000, refund_offer: null })
    expect((await paymentOf(payment)).refunds.map((r: { amount: number }) => r.amount)).toEqual([
      500, 500,
    ])
  })

  it('counts a percentage as its payment was charged with it', async () => {
    const reward = await shop.post('/v1/loyalty/rewards', {
      name: 'A third off, at most EUR 4',
      type: 'discount_percent',
      cost: 300,
      value: { percent: 33.33, maxAmount: 400, currency: 'EUR' },
    })
    const { id } = await applied({ reward: reward.body.id })
    expect((await reverse(id)).body.payment_unaffected.discounted).toBe(400)
  })

  it('offers no more than the payment has left to refund', async () => {
    const { id, payment } = await applied()
    await shop.post('/v1/refunds', { payment, amount: 2_300 })
    const { body } = await reverse(id, { points: 1 })
    expect(body.payment_unaffected).toMatchObject({ discounted: 1, refund_offer: { amount: 1 } })
    expect((await reverse(id)).body.payment_unaffected).toMatchObject({
      discounted: 500,
      refund_offer: { amount: 199 },
    })
  })
})

describe('a refund that cannot be made', () => {
  const state = async (id: string) => (await shop.get(`${REDEMPTIONS}/${id}`)).body

  it('of a payment with nothing left refuses the reversal as well', async () => {
    const { id, payment } = await applied()
    await shop.post('/v1/refunds', { payment })
    const { status, body } = await reverse(id, { refund_payment: true })
    expect([status, body.error.code]).toEqual([422, 'not_reversible'])
    expect(await state(id)).toMatchObject({ status: 'applied', reversed_points: 0 })
  })

  it('of another provider’s payment likewise: it is made there', async () => {
    const body = { account: 'loy_8sd2k1', reward: 'rwd_fivecredit' }
    const { id } = (await shop.post(REDEMPTIONS, body)).body
    await shop.commands.receivePayment({
      workspace: shop.workspace,
      provider: 'stripe',
      endpoint: 'whs_stripe',
      content: [],
      event: newId('evt'),
      type: 'payment.completed',
      payload: {},
      payment: { id: newId('pay'), amount: 2_999, currency: 'eur', refs: [{ redemption: id }] },
      status: 'completed',
      at: new Date().toISOString(),
    })
    await ended(shop, id)
    const refused = await reverse(id, { refund_payment: true })
    expect([refused.status, refused.body.error.code]).toEqual([422, 'not_reversible'])
    const without = await reverse(id)
    expect(without.body.payment_unaffected.refund_offer).toMatchObject({ amount: 500 })
  })

  it('because nothing was charged is refused by its parameter', async () => {
    const body = { account: 'loy_8sd2k1', reward: 'rwd_fivecredit' }
    const { id } = (await shop.post(REDEMPTIONS, body)).body
    const { status, body: answer } = await reverse(id, { refund_payment: true })
    expect([status, answer.error.code, answer.error.param]).toEqual([
      400,
      'parameter_invalid',
      'refund_payment',
    ])
    expect(await state(id)).toMatchObject({ status: 'pending' })
  })
})

it('of ten at once for one redemption one is obeyed, with one refund', async () => {
  const { id, payment } = await applied()
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => reverse(id, { refund_payment: true })),
  )
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(answers.filter(({ status }) => status === 422)).toHaveLength(9)
  expect((await paymentOf(payment)).refunds).toHaveLength(1)
})

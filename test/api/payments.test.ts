import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ended } from '../support/redeem.ts'
import { openShop, type Shop } from './shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const COMPLETES = '4242 4242 4242 4242'
const DECLINED = '4000000000000002'
const WAITS = '4000 0000 0000 3220'

const redeem = async (reward = 'rwd_fivecredit') =>
  (await shop.post('/v1/loyalty/redemptions', { account: 'loy_8sd2k1', reward })).body
const pay = (more: object = {}, idempotencyKey?: string) =>
  shop.post('/v1/payments', { amount: 2_999, currency: 'EUR', ...more }, { idempotencyKey })
const statusOf = async (id: string) => (await shop.get(`/v1/loyalty/redemptions/${id}`)).body.status

describe('a sandbox card', () => {
  it('that completes applies the redemption and charges less', async () => {
    const { id } = await redeem()
    const { status, body } = await pay({ card: COMPLETES, redemptions: [id] })
    expect([status, body.status, body.amount_charged]).toEqual([201, 'completed', 2_499])
    expect(body.redemptions).toEqual([id])
    expect(body.discounts).toMatchObject([{ redemption: id, amount: 500 }])
    await ended(shop, id)
    expect(await statusOf(id)).toBe('applied')
  })

  it('that is declined answers 201 with status failed, and the points return', async () => {
    const { id } = await redeem()
    const { status, body } = await pay({ card: DECLINED, discounts: [{ redemption: id }] })
    expect([status, body.status]).toEqual([201, 'failed'])
    await ended(shop, id)
    expect(await statusOf(id)).toBe('released')
  })

  it('that waits is completed by a confirmation, once', async () => {
    const { id, discount } = await redeem()
    const { body } = await pay({ card: WAITS, discounts: [{ code: discount.code }] })
    expect([body.status, body.amount_charged]).toEqual(['requires_payment', 2_499])
    expect(await statusOf(id)).toBe('pending')
    const confirmed = await shop.post(`/v1/payments/${body.id}/confirm`)
    expect([confirmed.status, confirmed.body.status]).toEqual([200, 'completed'])
    await ended(shop, id)
    expect(await statusOf(id)).toBe('applied')
    const again = await shop.post(`/v1/payments/${body.id}/confirm`)
    expect([again.status, again.body]).toEqual([200, confirmed.body])
  })

  it.each([
    ['confirm', { card: COMPLETES }, 'completed', { card: DECLINED }],
    ['cancel', {}, 'canceled', undefined],
  ])(
    '%s with an Idempotency-Key answers a repeat with the payment, another body with 409, and keeps no key of a refusal',
    async (verb, body, status, other) => {
      const { id } = (await pay()).body
      const ask = (payment: string, sent: object) =>
        shop.post(`/v1/payments/${payment}/${verb}`, sent, { idempotencyKey: `${verb}-once` })
      const nobody = await ask('pay_nobody', body)
      expect(nobody.status).toBe(404)
      const first = await ask(id, body)
      expect([first.status, first.body.status]).toEqual([200, status])
      expect(first.headers['idempotent-replayed']).toBeUndefined()
      const again = await ask(id, body)
      expect([again.status, again.body]).toEqual([200, first.body])
      expect(again.headers['idempotent-replayed']).toBe('true')
      const elsewhere = await ask((await pay()).body.id, body)
      expect([elsewhere.status, elsewhere.body.error.code]).toEqual([409, 'idempotency_key_reused'])
      if (other === undefined) return
      const reused = await ask(id, other)
      expect([reused.status, reused.body.error.code]).toEqual([409, 'idempotency_key_reused'])
    },
  )

  it('may be given to the confirmation of a payment without one', async () => {
    const { body } = await pay()
    const confirmed = await shop.post(`/v1/payments/${body.id}/confirm`, { card: DECLINED })
    expect([confirmed.status, confirmed.body.status]).toEqual([200, 'failed'])
    const later = await shop.post(`/v1/payments/${body.id}/confirm`, { card: COMPLETES })
    expect([later.status, later.body.error.code, later.body.error.status]).toEqual([
      409,
      'resource_changed',
      'failed',
    ])
  })

  it('is never stored and never logged', async () => {
    await pay({ card: COMPLETES })
    const { rows } = await shop.owner.query('select * from payment')
    expect(JSON.stringify(rows)).not.toMatch(/4242/)
    expect(shop.lines.join('')).not.toMatch(/4242 ?4242/)
  })
})

describe('a payment', () => {
  it('without a card stays open until it is canceled, which releases its redemption', async () => {
    const { id } = await redeem()
    const { body } = await pay({ redemptions: [id] })
    expect(body.status).toBe('requires_payment')
    const open = Date.parse(body.expires_at) - Date.parse(body.created_at)
    expect(open).toBe(24 * 60 * 60 * 1_000)
    const canceled = await shop.post(`/v1/payments/${body.id}/cancel`)
    expect([canceled.status, canceled.body.status]).toEqual([200, 'canceled'])
    await ended(shop, id)
    expect(await statusOf(id)).toBe('released')
    expect((await shop.post(`/v1/payments/${body.id}/cancel`)).body).toEqual(canceled.body)
    const confirmed = await shop.post(`/v1/payments/${body.id}/confirm`, { card: COMPLETES })
    expect([confirmed.status, confirmed.body.error.code]).toEqual([409, 'resource_changed'])
  })

  it('comes back once for one key, as it is now', async () => {
    const { id } = await redeem()
    const first = await pay({ redemptions: [id] }, 'cart-1')
    const again = await pay({ redemptions: [id] }, 'cart-1')
    expect([again.status, again.headers['idempotent-replayed']]).toEqual([200, 'true'])
    expect(again.body).toEqual(first.body)
    await shop.post(`/v1/payments/${first.body.id}/cancel`)
    expect((await pay({ redemptions: [id] }, 'cart-1')).body.status).toBe('canceled')
  })

  it('adds discounts up, counts one named twice once, and never goes below zero', async () => {
    const [one, two] = [await redeem(), await redeem('rwd_5eur_off')]
    const { status, body } = await pay({
      amount: 700,
      discounts: [{ redemption: one.id }, { redemption: two.id }],
      redemptions: [one.id],
    })
    expect([status, body.amount_charged, body.status]).toEqual([201, 0, 'completed'])
    expect(body.discounts.length).toBe(2)
    await Promise.all([ended(shop, one.id), ended(shop, two.id)])
    expect([await statusOf(one.id), await statusOf(two.id)]).toEqual(['applied', 'applied'])
  })

  it.each([
    [
      'one that another open payment has',
      'redemption_already_attached',
      async () => {
        const { id } = await redeem()
        await pay({ redemptions: [id] })
        return { redemptions: [id] }
      },
    ],
    [
      'one that was canceled',
      'redemption_already_settled',
      async () => {
        const { id } = await redeem()
        await shop.post(`/v1/loyalty/redemptions/${id}/cancel`)
        return { redemptions: [id] }
      },
    ],
    [
      'one of another member',
      'redemption_account_mismatch',
      async () => {
        const redemption = await shop.post('/v1/loyalty/redemptions', {
          account: 'loy_9f2k',
          reward: 'rwd_fivecredit',
        })
        return { redemptions: [redemption.body.id], customer: 'cust_somebody' }
      },
    ],
    [
      'one in another currency',
      'currency_mismatch',
      async () => {
        const { id } = await redeem()
        return { redemptions: [id], currency: 'NOK' }
      },
    ],
  ])('is refused, and not made, with %s', async (_what, code, prepare) => {
    const body = await prepare()
    const before = (await shop.get('/v1/payments?limit=100')).body.data.length
    const answer = await pay(body)
    expect([answer.status, answer.body.error.code]).toEqual([422, code])
    expect((await shop.get('/v1/payments?limit=100')).body.data.length).toBe(before)
  })
})

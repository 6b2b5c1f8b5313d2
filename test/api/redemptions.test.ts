import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../domain/ids.ts'
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

const REDEMPTIONS = '/v1/loyalty/redemptions'
const redeem = async (more: object = {}) =>
  (await shop.post(REDEMPTIONS, { account: 'loy_8sd2k1', reward: 'rwd_fivecredit', ...more })).body
const ask = (id: string, verb: string, body: object = {}, idempotencyKey?: string) =>
  shop.post(`${REDEMPTIONS}/${id}/${verb}`, body, { idempotencyKey })
const balance = async () => (await shop.get('/v1/loyalty/accounts/loy_8sd2k1')).body.balance
const pay = (id: string, card: string) =>
  shop.post('/v1/payments', { amount: 2_999, currency: 'EUR', card, redemptions: [id] })

describe('a redemption', () => {
  it('comes back once for one key, as it is now, and 50 at once are one', async () => {
    const before = await balance()
    const body = { account: 'loy_8sd2k1', reward: 'rwd_fivecredit' }
    const send = () => shop.post(REDEMPTIONS, body, { idempotencyKey: 'cart-9f31' })
    const answers = await Promise.all(Array.from({ length: 50 }, send))
    expect(answers.filter(({ status }) => status === 201).length).toBe(1)
    expect(answers.filter(({ status }) => status === 200).length).toBe(49)
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1)
    expect(await balance()).toBe(before - 500)
    const { id } = answers[0]?.body ?? {}
    await ask(id, 'cancel')
    const later = await send()
    expect([later.status, later.headers['idempotent-replayed']]).toEqual([200, 'true'])
    expect([later.body.id, later.body.status]).toEqual([id, 'released'])
  })

  it('carries a code that can be typed from a screen, and its hold', async () => {
    const { discount, expires_at, created_at } = await redeem()
    expect(discount).toMatchObject({ amount: 500, currency: 'EUR' })
    expect(discount.code).toMatch(/^VINR(-[0-9A-HJKMNP-TV-Z]{4}){3}$/)
    expect(Date.parse(expires_at) - Date.parse(created_at)).toBe(30 * 60_000)
  })

  it('multiplies a fixed discount by its quantity', async () => {
    expect(await redeem({ quantity: 2 })).toMatchObject({
      points: 1_000,
      quantity: 2,
      discount: { amount: 1_000 },
    })
  })
})

describe('cancel', () => {
  it('gives the points back, and says the same to a repeat with the same key', async () => {
    const before = await balance()
    const { id } = await redeem()
    const first = await ask(id, 'cancel', {}, 'cancel-1')
    expect([first.status, first.body.status]).toEqual([200, 'released'])
    expect(await balance()).toBe(before)
    const again = await ask(id, 'cancel', {}, 'cancel-1')
    expect([again.status, again.headers['idempotent-replayed']]).toEqual([200, 'true'])
    expect(again.body).toEqual(first.body)
  })

  it('of two at once is obeyed once', async () => {
    const { id } = await redeem()
    const answers = await Promise.all([ask(id, 'cancel'), ask(id, 'cancel')])
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 422])
  })

  it('with a key that another cancel used is refused', async () => {
    const [one, two] = [await redeem(), await redeem()]
    await ask(one.id, 'cancel', {}, 'cancel-2')
    const other = await ask(two.id, 'cancel', {}, 'cancel-2')
    expect([other.status, other.body.error.code]).toEqual([409, 'idempotency_key_reused'])
    expect((await shop.get(`${REDEMPTIONS}/${two.id}`)).body.status).toBe('pending')
  })

  it('of an applied one is 422 redemption_already_settled with its status', async () => {
    const { id } = await redeem()
    await pay(id, '4242424242424242')
    await ended(shop, id)
    for (const verb of ['cancel', 'extend']) {
      const { status, body } = await ask(id, verb, verb === 'extend' ? { minutes: 5 } : {})
      expect([status, body.error.code, body.error.status]).toEqual([
        422,
        'redemption_already_settled',
        'applied',
      ])
    }
  })
})

describe('extend', () => {
  it('moves the deadline once for one key', async () => {
    const { id, expires_at } = await redeem()
    const first = await ask(id, 'extend', { minutes: 10 }, 'extend-1')
    const again = await ask(id, 'extend', { minutes: 10 }, 'extend-1')
    expect([first.status, again.status]).toEqual([200, 200])
    expect(Date.parse(first.body.expires_at) - Date.parse(expires_at)).toBe(600_000)
    expect(again.body.expires_at).toBe(first.body.expires_at)
    const other = await ask(id, 'extend', { minutes: 11 }, 'extend-1')
    expect([other.status, other.body.error.code]).toEqual([409, 'idempotency_key_reused'])
  })
})

describe('reverse', () => {
  it('of an applied one gives points back in parts, then no more', async () => {
    const before = await balance()
    const { id } = await redeem()
    await pay(id, '4242424242424242')
    await ended(shop, id)
    const part = await ask(id, 'reverse', { reason: 'item_returned', points: 200 })
    expect([part.status, part.body.status, part.body.reversed_points]).toEqual([
      200,
      'applied',
      200,
    ])
    const tooMuch = await ask(id, 'reverse', { reason: 'item_returned', points: 301 })
    expect([tooMuch.status, tooMuch.body.error.param, tooMuch.body.error.available]).toEqual([
      400,
      'points',
      300,
    ])
    const rest = await ask(id, 'reverse', { reason: 'item_returned' })
    expect(rest.body).toMatchObject({ status: 'reversed', reversed_points: 500 })
    expect(await balance()).toBe(before)
    const again = await ask(id, 'reverse', { reason: 'item_returned' })
    expect([again.status, again.body.error.code, again.body.error.status]).toEqual([
      422,
      'redemption_already_settled',
      'reversed',
    ])
  })

  it('of a pending one ends it', async () => {
    const { id } = await redeem()
    const { status, body } = await ask(id, 'reverse', { reason: 'changed_mind' })
    expect([status, body.status, body.reason]).toEqual([200, 'reversed', 'changed_mind'])
  })
})

describe('a message that was refused', () => {
  it('is judged anew with the same key: a refusal is never stored', async () => {
    const { id } = await redeem()
    const payment = { id: newId('pay'), amount: 2_999, currency: 'eur', redemptions: [id] }
    const report = (type: string) =>
      shop.webhook({ id: newId('evt'), type, created: 1, data: payment })
    await report('payment.processing')
    const first = await ask(id, 'cancel', {}, 'cancel-3')
    expect([first.status, first.body.error.code]).toEqual([422, 'payment_processing'])
    await report('payment.failed')
    await ended(shop, id)
    const again = await ask(id, 'cancel', {}, 'cancel-3')
    expect([again.status, again.body.error.code]).toEqual([422, 'redemption_already_settled'])
  })
})

import { createHmac } from 'node:crypto'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { ended } from '../support/redeem.ts'
import { openShop, type Shop } from './shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.close())

const eventOf = (type: string, data: object, id = newId('evt')) => ({ id, type, created: 1, data })
const paymentOf = (more: object = {}) => ({
  id: newId('pay'),
  amount: 2_999,
  currency: 'eur',
  ...more,
})
const seconds = () => Math.floor(Date.now() / 1_000)
const inboxSize = async () => {
  const { rows } = await shop.owner.query('select count(*)::int as n from inbox')
  return rows[0].n as number
}
const redeem = async () =>
  (await shop.post('/v1/loyalty/redemptions', { account: 'loy_8sd2k1', reward: 'rwd_fivecredit' }))
    .body.id as string

describe('a signature', () => {
  const event = eventOf('payment.created', paymentOf())
  const body = JSON.stringify(event)
  const digest = (secret: string, at: number, text = body) =>
    createHmac('sha256', secret).update(`${at}.${text}`).digest('hex')
  const send = (header?: string, text = body) => {
    const sent = request(shop.app)
      .post('/v1/webhooks/payments/sandbox')
      .set('Content-Type', 'application/json')
    return (header === undefined ? sent : sent.set('x-vinr-signature', header)).send(text)
  }

  it.each([
    ['is missing', () => undefined],
    ['is empty', () => ''],
    ['is nonsense', () => 'trust me'],
    ['has no time', () => `v1=${digest(shop.keys.paymentSecret, seconds())}`],
    ['has two times', () => `t=1,t=${seconds()},v1=${digest(shop.keys.paymentSecret, seconds())}`],
    ['was made with another secret', () => `t=${seconds()},v1=${digest('whsec_bm8=', seconds())}`],
    ['is of another time', () => `t=${seconds()},v1=${digest(shop.keys.paymentSecret, 1)}`],
    ['is five minutes old', () => stale(-301)],
    ['is five minutes ahead', () => stale(302)],
    [
      'is cut short',
      () => `t=${seconds()},v1=${digest(shop.keys.paymentSecret, seconds()).slice(0, 32)}`,
    ],
  ])('that %s is 400 invalid_signature and stores nothing', async (_what, header) => {
    const before = await inboxSize()
    const answer = await send(header())
    expect([answer.status, answer.body.error.code]).toEqual([400, 'invalid_signature'])
    expect(await inboxSize()).toBe(before)
  })

  const stale = (offset: number) => {
    const at = seconds() + offset
    return `t=${at},v1=${digest(shop.keys.paymentSecret, at)}`
  }

  it('over another body is 400', async () => {
    const at = seconds()
    const header = `t=${at},v1=${digest(shop.keys.paymentSecret, at)}`
    const answer = await send(header, body.replace('2999', '1'))
    expect(answer.body.error.code).toBe('invalid_signature')
  })

  it('counts where one of several is right, as while a secret is rolled', async () => {
    const at = seconds()
    const wrong = digest('whsec_b2xk', at)
    const answer = await send(`t=${at},v1=${wrong},v1=${digest(shop.keys.paymentSecret, at)}`)
    expect([answer.status, answer.body]).toEqual([200, { received: true, duplicate: false }])
  })

  it('names the workspace: the payment is its own and nobody else’s', async () => {
    const payment = paymentOf()
    await shop.webhook(eventOf('payment.created', payment))
    expect((await shop.get(`/v1/payments/${payment.id}`)).body.status).toBe('requires_payment')
  })

  it('is looked for at known providers only', async () => {
    const answer = await shop.webhook(event, { path: '/v1/webhooks/payments/nobody' })
    expect([answer.status, answer.body.error.code]).toEqual([404, 'resource_missing'])
  })
})

describe('an event', () => {
  it('applies the redemptions that its payment names, and says so to nobody twice', async () => {
    const redemption = await redeem()
    const payment = paymentOf({ redemptions: [redemption], amount_charged: 2_499 })
    const event = eventOf('payment.completed', payment)
    expect((await shop.webhook(event)).body).toEqual({ received: true, duplicate: false })
    await ended(shop, redemption)
    expect((await shop.webhook(event)).body).toEqual({ received: true, duplicate: true })
    const { body } = await shop.get(`/v1/loyalty/redemptions/${redemption}`)
    expect([body.status, body.payment]).toEqual(['applied', payment.id])
    const paid = await shop.get(`/v1/payments/${payment.id}`)
    expect(paid.body).toMatchObject({ status: 'completed', amount_charged: 2_499 })
  })

  it('that comes after a later one does not take the payment back', async () => {
    const payment = paymentOf()
    for (const type of [
      'payment.completed',
      'payment.processing',
      'payment.failed',
      'payment.created',
    ]) {
      expect((await shop.webhook(eventOf(type, payment))).status).toBe(200)
      expect((await shop.get(`/v1/payments/${payment.id}`)).body.status).toBe('completed')
    }
  })

  it('with a redemption that cannot be attached is kept, and the refusal stands on the payment', async () => {
    const redemption = await redeem()
    await shop.post(`/v1/loyalty/redemptions/${redemption}/cancel`)
    const payment = paymentOf({ discounts: [{ redemption }] })
    expect((await shop.webhook(eventOf('payment.created', payment))).status).toBe(200)
    const { body } = await shop.get(`/v1/payments/${payment.id}`)
    expect(body.refused_discounts).toMatchObject([
      { redemption, code: 'redemption_already_settled' },
    ])
    expect(body.amount_charged).toBe(2_999)
  })

  it('of a type we do not know is kept, and fields we do not know are accepted', async () => {
    const payment = paymentOf({ risk: { score: 3 } })
    await shop.webhook(eventOf('payment.created', payment))
    for (const type of [
      'payment.refunded',
      'payment.disputed',
      'refund.created',
      'charge.noticed',
    ]) {
      const data = type.startsWith('payment.') ? payment : { id: 're_1', payment: payment.id }
      const before = await inboxSize()
      const answer = await shop.webhook({ ...eventOf(type, data), api_version: '2026-01' })
      expect([type, answer.status]).toEqual([type, 200])
      expect(await inboxSize()).toBe(before + 1)
    }
  })

  it.each([
    ['without an id', { type: 'payment.created', data: {} }, 'parameter_missing', 'id'],
    ['without data', { id: 'evt_1', type: 'payment.created' }, 'parameter_missing', 'data'],
    [
      'without an amount',
      eventOf('payment.created', { id: 'pay_1', currency: 'eur' }),
      'parameter_missing',
      'data.amount',
    ],
    [
      'with a fraction',
      eventOf('payment.created', paymentOf({ amount: 1.5 })),
      'parameter_invalid',
      'data.amount',
    ],
    [
      'with no currency',
      eventOf('payment.created', paymentOf({ currency: 'QQQ' })),
      'parameter_invalid',
      'data.currency',
    ],
    [
      'charged above its amount',
      eventOf('payment.created', paymentOf({ amount_charged: 3_000 })),
      'parameter_invalid',
      'data.amount_charged',
    ],
    [
      'with a NUL',
      eventOf('payment.created', paymentOf({ note: 'a\0b' })),
      'parameter_invalid',
      undefined,
    ],
    [
      'with half a character',
      eventOf('payment.created', paymentOf({ note: 'a\ud800' })),
      'parameter_invalid',
      undefined,
    ],
  ])('%s is 400 and stores nothing', async (_what, event, code, param) => {
    const before = await inboxSize()
    const answer = await shop.webhook(event)
    expect([answer.status, answer.body.error.code, answer.body.error.param]).toEqual([
      400,
      code,
      param,
    ])
    expect(await inboxSize()).toBe(before)
  })

  it.each([
    ['no JSON', '{'],
    ['nested without end', `${'['.repeat(200_000)}${']'.repeat(200_000)}`],
  ])('that is %s is 400 invalid_json, though it is signed', async (_what, text) => {
    const at = seconds()
    const digest = createHmac('sha256', shop.keys.paymentSecret)
      .update(`${at}.${text}`)
      .digest('hex')
    const answer = await request(shop.app)
      .post('/v1/webhooks/payments/sandbox')
      .set('x-vinr-signature', `t=${at},v1=${digest}`)
      .set('Content-Type', 'application/json')
      .send(text)
    expect([answer.status, answer.body.error.code]).toEqual([400, 'invalid_json'])
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'
import { balanceOf, member, openTill } from './till.ts'

let shop: Shop
let reactor: string

beforeAll(async () => {
  shop = await openShop()
  reactor = (await openTill(shop)).reactor.id
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const redeem = (user: string, points: number, more: object = {}, query = '') =>
  shop.post(`/v1/events${query}`, { type: 'REDEEMED_POINTS', user, payload: { points }, ...more })

describe('a reported event', () => {
  it('is answered with what each reactor did, and the transaction names them', async () => {
    const user = await member(shop, 700)
    const { status, body } = await redeem(user, 500, { eventId: 'till-1/0001' })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      object: 'reported_event',
      status: 'processed',
      type: 'REDEEMED_POINTS',
      eventId: 'till-1/0001',
      user,
      account: user,
      points: -500,
      balance: 200,
      reactors: [
        {
          reactor,
          name: 'Redeem points',
          outcome: 'activated',
          reactions: [{ type: 'adjust_points', points: -500, balance_after: 200 }],
        },
      ],
    })
    const { transaction } = body.reactors[0].reactions[0]
    expect((await shop.get(`/v1/loyalty/transactions/${transaction}`)).body).toMatchObject({
      account: user,
      type: 'adjust',
      amount: -500,
      reason: 'Redeem points',
      source: { event: body.id, event_type: 'REDEEMED_POINTS', reactor },
    })
    expect((await shop.get(`/v1/events/${body.id}`)).body).toMatchObject({
      type: 'REDEEMED_POINTS',
      data: {
        user,
        account: user,
        event_id: 'till-1/0001',
        payload: { points: 500 },
        occurred_at: body.timestamp,
      },
    })
    expect(await balanceOf(shop, user)).toBe(200)
  })

  it('is taken at the root path as well', async () => {
    const user = await member(shop, 10)
    const { status, body } = await shop.post('/events', {
      type: 'REDEEMED_POINTS',
      user,
      payload: { points: 4 },
    })
    expect([status, body.balance]).toEqual([200, 6])
  })

  it('may leave the member below zero, as the engine always allowed', async () => {
    const user = await member(shop, 500)
    expect((await redeem(user, 1_000)).body).toMatchObject({ points: -1_000, balance: -500 })
    expect(await balanceOf(shop, user)).toBe(-500)
  })

  it('with strict=true refuses what the member does not have, and writes nothing', async () => {
    const user = await member(shop, 500)
    const refused = await redeem(user, 501, { eventId: 'strict-1' }, '?strict=true')
    expect([refused.status, refused.body.error]).toMatchObject([
      422,
      { code: 'insufficient_points', required: 501, available: 500, missing: 1 },
    ])
    expect(await balanceOf(shop, user)).toBe(500)
    // a refusal is not stored: the same event is judged anew
    await shop.post('/v1/loyalty/transactions', { account: user, amount: 1, reason: 'found' })
    const again = await redeem(user, 501, { eventId: 'strict-1' }, '?strict=true')
    expect([again.status, again.body.balance]).toEqual([200, 0])
  })

  it('is strict where the settings say so, unless it says otherwise itself', async () => {
    const user = await member(shop, 500)
    await shop.put('/v1/settings', { strict: true })
    const refused = await redeem(user, 501)
    expect([refused.status, refused.body.error.code]).toEqual([422, 'insufficient_points'])
    expect((await redeem(user, 501, {}, '?strict=false')).body).toMatchObject({ strict: false })
    await shop.put('/v1/settings', { strict: null })
    expect((await redeem(user, 9)).body).toMatchObject({ strict: false, balance: -10 })
  })
})

describe('an eventId', () => {
  it('sent again changes nothing and is answered as the first', async () => {
    const user = await member(shop, 100)
    const first = await redeem(user, 30, { eventId: 'again' })
    const second = await redeem(user, 30, { eventId: 'again' })
    expect(second.status).toBe(200)
    expect(second.headers['idempotent-replayed']).toBe('true')
    expect(second.body).toEqual(first.body)
    expect(await balanceOf(shop, user)).toBe(70)
  })

  it('with another body is 409', async () => {
    const user = await member(shop, 100)
    await redeem(user, 30, { eventId: 'reused' })
    const { status, body } = await redeem(user, 31, { eventId: 'reused' })
    expect([status, body.error.code]).toEqual([409, 'idempotency_key_reused'])
    expect(await balanceOf(shop, user)).toBe(70)
  })

  it('sent by many at once acts once, and all get the same answer', async () => {
    const user = await member(shop, 100)
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => redeem(user, 30, { eventId: 'storm' })),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1)
    expect(await balanceOf(shop, user)).toBe(70)
  })

  it('sent at once for two members acts for one of them', async () => {
    const [one, other] = [await member(shop, 100), await member(shop, 100)]
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        redeem(index % 2 === 0 ? one : other, 30, { eventId: 'whose' }),
      ),
    )
    const statuses = answers.map(({ status }) => status).sort((a, b) => a - b)
    expect(statuses).toEqual([...Array(6).fill(200), ...Array(6).fill(409)])
    expect((await balanceOf(shop, one)) + (await balanceOf(shop, other))).toBe(170)
  })

  it('may be an Idempotency-Key instead', async () => {
    const user = await member(shop, 100)
    const event = { type: 'REDEEMED_POINTS', user, payload: { points: 30 } }
    const first = await shop.post('/events', event, { idempotencyKey: 'key-1' })
    const second = await shop.post('/events', event, { idempotencyKey: 'key-1' })
    expect(second.body).toEqual(first.body)
    expect(await balanceOf(shop, user)).toBe(70)
    const elsewhere = await shop.post('/v1/events', event, { idempotencyKey: 'key-1' })
    expect(elsewhere.body).toEqual(first.body)
    expect(await balanceOf(shop, user)).toBe(70)
  })
})

describe('32 tills on one member, strict', () => {
  it('never overdraw, and every till is answered', async () => {
    const user = await member(shop, 1_000)
    const answers = await Promise.all(
      Array.from({ length: 32 }, (_, till) =>
        redeem(user, 70, { eventId: `race-${till}` }, '?strict=true'),
      ),
    )
    const taken = answers.filter(({ status }) => status === 200)
    const refused = answers.filter(({ status }) => status === 422)
    expect([taken.length, refused.length]).toEqual([14, 18]) // 14 x 70 = 980
    expect(await balanceOf(shop, user)).toBe(20)
  })
})

const nested = (levels: number) => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`)

describe('what is refused', () => {
  it.each([
    ['an unknown type', { type: 'NOTHING' }, 404, 'resource_missing', 'type'],
    ['an unknown member', { user: 'loy_nobody' }, 404, 'resource_missing', 'user'],
    ['a type of the platform', { type: 'payment.completed' }, 403, 'event_type_intrinsic', 'type'],
    ['another one', { type: 'loyalty.points.earned' }, 403, 'event_type_intrinsic', 'type'],
    [
      'a payload against its schema',
      { payload: { points: 0 } },
      400,
      'payload_invalid',
      'payload.points',
    ],
    ['a payload without what it needs', { payload: {} }, 400, 'payload_invalid', 'payload.points'],
    [
      'a field that the schema does not know',
      { payload: { points: 1, extra: 1 } },
      400,
      'payload_invalid',
      'payload.extra',
    ],
    [
      'personal data by its key',
      { payload: { points: 1, email: 'hidden' } },
      400,
      'payload_personal_data',
      'payload.email',
    ],
    [
      'personal data by its look',
      { payload: { points: 1, storeId: 'ask ola.nordmann@example.com' } },
      400,
      'payload_personal_data',
      'payload.storeId',
    ],
    [
      'a time to come',
      { timestamp: '2999-01-01T00:00:00Z' },
      400,
      'parameter_invalid',
      'timestamp',
    ],
    [
      'a character that no database holds',
      { payload: { points: 1, storeId: 'a\u0000b' } },
      400,
      'parameter_invalid',
      'payload',
    ],
    [
      'half a character',
      { payload: { points: 1, '\ud800': 1 } },
      400,
      'parameter_invalid',
      'payload',
    ],
    [
      'nesting without end',
      { payload: { points: 1, nested: nested(100) } },
      400,
      'parameter_invalid',
      'payload',
    ],
    ['a user who is nobody', { user: "' or 1=1 --" }, 404, 'resource_missing', 'user'],
    ['an unknown field', { points: 5 }, 400, 'parameter_unknown', 'points'],
  ])('%s', async (_what, change, status, code, param) => {
    const user = await member(shop, 0)
    const event = { type: 'REDEEMED_POINTS', user, payload: { points: 1 }, ...change }
    const answer = await shop.post('/v1/events', event)
    expect([answer.status, answer.body.error.code, answer.body.error.param]).toEqual([
      status,
      code,
      param,
    ])
    expect(await balanceOf(shop, user)).toBe(0)
  })

  it('a closed account', async () => {
    const user = await member(shop, 10)
    await shop.post(`/v1/loyalty/accounts/${user}/close`)
    const { status, body } = await redeem(user, 1)
    expect([status, body.error.code]).toEqual([422, 'account_closed'])
  })
})

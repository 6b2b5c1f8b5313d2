import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'
import { balanceOf, member, openTill } from './till.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
  const { type } = await openTill(shop)
  await shop.post('/v1/event_types', { name: 'POINTS_REFUND', schema: type.schema })
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

let made = 0
const report = (user: string, more: object, query = '') =>
  shop.post(`/events${query}`, {
    type: 'REDEEMED_POINTS',
    user,
    eventId: `sale-${++made}`,
    ...more,
  })
const sell = async (user: string, points: number) =>
  (await report(user, { payload: { points } })).body
const undo = (user: string, reverses: string, more: object = {}) =>
  report(user, { type: 'POINTS_REFUND', reverses, payload: { points: 500 }, ...more })
const lotsOf = async (account: string) =>
  (await shop.owner.query('select * from lot where account = $1 order by id', [account])).rows
const grant = (account: string, amount: number, expires_at: string) =>
  shop.post('/v1/loyalty/transactions', { account, amount, reason: 'gift', expires_at })

/** A member whose points came three times and expire three times. */
async function saver() {
  const user = await member(shop, 100)
  await grant(user, 300, '2098-01-01T00:00:00Z')
  await grant(user, 400, '2099-01-01T00:00:00Z')
  return user
}

describe('an event that reverses another', () => {
  it('gives the points back to the very lots they came from', async () => {
    const user = await saver()
    const before = await lotsOf(user)
    const sale = await sell(user, 500)
    expect(await lotsOf(user)).not.toEqual(before)
    const { status, body } = await undo(user, sale.eventId)
    expect([status, body.points, body.balance]).toEqual([200, 500, 800])
    const { transaction } = sale.reactors[0].reactions[0]
    expect(body).toMatchObject({
      reverses: sale.eventId,
      undone: [{ points: 500, reverses: transaction }],
      reactors: [],
    })
    expect(await lotsOf(user)).toEqual(before)
    const row = (await shop.get(`/v1/loyalty/transactions/${body.undone[0].transaction}`)).body
    expect(row).toMatchObject({ type: 'reverse', amount: 500, reverses: transaction })
  })

  it('does so once: again, under another eventId and by many at once, it is answered as the first', async () => {
    const user = await saver()
    const sale = await sell(user, 500)
    const answers = await Promise.all(Array.from({ length: 12 }, () => undo(user, sale.eventId)))
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200))
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    const first = answers.filter((one) => one.headers['idempotent-replayed'] === undefined)
    expect(first).toHaveLength(1)
    expect(await balanceOf(shop, user)).toBe(800)
    const again = await undo(user, sale.eventId, { eventId: first[0]?.body.eventId })
    expect([again.status, again.body.id]).toEqual([200, first[0]?.body.id])
    expect(await balanceOf(shop, user)).toBe(800)
  })

  it('leaves later spending alone, and a deficit is filled by it first', async () => {
    const user = await member(shop, 500)
    const sale = await sell(user, 500)
    await sell(user, 200)
    expect(await balanceOf(shop, user)).toBe(-200)
    expect((await undo(user, sale.eventId)).body.balance).toBe(300)
  })

  it('for other points than were moved is refused, and nothing is written', async () => {
    const user = await member(shop, 800)
    const sale = await sell(user, 500)
    const { status, body } = await undo(user, sale.eventId, { payload: { points: 499 } })
    expect([status, body.error.code, body.error.param]).toEqual([
      400,
      'parameter_invalid',
      'payload.points',
    ])
    expect(body.error.available).toBe(500)
    expect(await balanceOf(shop, user)).toBe(300)
    expect((await undo(user, sale.eventId)).body.balance).toBe(800)
  })

  it('takes back what an event gave, as far as the program lets it', async () => {
    await shop.post('/v1/event_types', { name: 'VISITED', schema: { type: 'object' } })
    await shop.post('/v1/reactors', {
      name: 'A visit',
      trigger: 'VISITED',
      reactions: [{ type: 'adjust_points', points: '50' }],
    })
    const user = await member(shop, 0)
    const { body: visit } = await report(user, { type: 'VISITED' })
    expect(visit.balance).toBe(50)
    const { body } = await undo(user, visit.eventId, { type: 'VISITED', payload: {} })
    expect([body.points, body.balance]).toEqual([-50, 0])
  })

  it('is 404 for an event that is not there, of another member or of another workspace', async () => {
    const [user, other] = [await member(shop, 500), await member(shop, 500)]
    const sale = await sell(user, 500)
    for (const [who, what] of [
      [user, 'no-such-event'],
      [other, sale.eventId],
    ] as const) {
      const { status, body } = await undo(who, what)
      expect([status, body.error.code, body.error.param]).toEqual([
        404,
        'resource_missing',
        'reverses',
      ])
      expect(body.error.message).toBe(`reverses: this user has no event ${what}.`)
    }
    expect(await balanceOf(shop, user)).toBe(0)
  })

  it('is not undone itself', async () => {
    const user = await member(shop, 500)
    const sale = await sell(user, 500)
    const back = (await undo(user, sale.eventId)).body
    const { status, body } = await undo(user, back.eventId)
    expect([status, body.error.code]).toEqual([422, 'not_reversible'])
  })

  it('is refused where its transaction was undone by hand', async () => {
    const user = await member(shop, 500)
    const sale = await sell(user, 500)
    const { transaction } = sale.reactors[0].reactions[0]
    await shop.post(`/v1/loyalty/transactions/${transaction}/reverse`)
    const { status, body } = await undo(user, sale.eventId)
    expect([status, body.error.code]).toEqual([422, 'not_reversible'])
    expect(await balanceOf(shop, user)).toBe(500)
  })

  it('finds its member after a merge', async () => {
    const [user, survivor] = [await member(shop, 500), await member(shop, 1)]
    const sale = await sell(user, 500)
    await shop.post('/v1/loyalty/accounts/merge', { source: user, target: survivor })
    expect((await undo(user, sale.eventId)).body.balance).toBe(501)
    expect(await balanceOf(shop, survivor)).toBe(501)
  })

  it('tries nothing out', async () => {
    const user = await member(shop, 500)
    const sale = await sell(user, 500)
    const query = '?dry_run=true'
    const body = { type: 'POINTS_REFUND', reverses: sale.eventId, payload: { points: 500 } }
    expect((await report(user, body, query)).body.error.param).toBe('dry_run')
  })
})

describe('POINTS_REFUND as the document has it', () => {
  it('is an event type and a reactor of its own, which give the points back as new ones', async () => {
    await shop.post('/v1/reactors', {
      name: 'Refund points',
      trigger: 'POINTS_REFUND',
      reactions: [{ type: 'adjust_points', points: '$.points' }],
    })
    const user = await member(shop, 500)
    await sell(user, 500)
    const { body } = await report(user, { type: 'POINTS_REFUND', payload: { points: 500 } })
    expect([body.points, body.balance]).toEqual([500, 500])
  })
})

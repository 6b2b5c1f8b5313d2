import { afterAll, beforeAll, expect, it } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'
import { member, openTill } from './till.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
  await openTill(shop)
})
afterAll(() => shop.close())

const ago = (ms: number) => new Date(Date.now() - ms).toISOString()
const report = (user: string, timestamp: string, more: object = {}) =>
  shop.post('/v1/events', {
    type: 'REDEEMED_POINTS',
    user,
    payload: { points: 1 },
    timestamp,
    ...more,
  })

async function memberSince(time: string): Promise<string> {
  const user = await member(shop, 100)
  await shop.owner.query('update account set created_at = $2 where id = $1', [user, time])
  return user
}

it('a till’s clock may be five minutes wrong, and no more', async () => {
  const user = await memberSince(ago(0))
  expect((await report(user, ago(4 * MINUTE_MS))).status).toBe(200)
  expect((await report(user, ago(-4 * MINUTE_MS))).status).toBe(200)
  for (const [timestamp, why] of [
    [ago(-6 * MINUTE_MS), 'in the future'],
    [ago(6 * MINUTE_MS), 'before the member was one'],
  ] as const) {
    const { status, body } = await report(user, timestamp)
    expect([status, body.error]).toMatchObject([
      400,
      { code: 'parameter_invalid', param: 'timestamp', message: expect.stringContaining(why) },
    ])
  }
})

it('who was merged has been a member for as long as either', async () => {
  const target = await memberSince(ago(DAY_MS))
  const source = await memberSince(ago(3 * DAY_MS))
  const merged = await shop.post('/v1/loyalty/accounts/merge', { source, target })
  expect(merged.status).toBe(200)
  expect((await report(target, ago(2 * DAY_MS))).status).toBe(200)
  expect((await report(source, ago(2 * DAY_MS))).status).toBe(200)
})

it('an event is dated at most seven days back, or as many as the settings say', async () => {
  const user = await memberSince('2020-01-01T00:00:00Z')
  const eightDays = ago(8 * DAY_MS)
  expect((await report(user, ago(6 * DAY_MS))).status).toBe(200)
  for (const more of [{}, { hold: true }, { reverses: 'nothing' }]) {
    expect((await report(user, eightDays, more)).body.error).toMatchObject({
      code: 'parameter_invalid',
      param: 'timestamp',
      message: expect.stringContaining('more than 7 days back'),
    })
  }
  await shop.put('/settings', { eventMaxAgeDays: 9 })
  const first = await report(user, eightDays, { eventId: 'late' })
  expect(first.status).toBe(200)
  await shop.put('/settings', { eventMaxAgeDays: 0.5 })
  expect((await report(user, ago(DAY_MS))).body.error.param).toBe('timestamp')
  const again = await report(user, eightDays, { eventId: 'late' }) // answered as the first
  expect([again.status, again.body.id]).toEqual([200, first.body.id])
})

it.each([-1, 3_651, '7'])('the setting is no %s', async (eventMaxAgeDays) => {
  const { status, body } = await shop.put('/settings', { eventMaxAgeDays })
  expect([status, body.error.param]).toEqual([400, 'eventMaxAgeDays'])
})

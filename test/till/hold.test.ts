import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'
import { ended } from '../support/redeem.ts'
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
const hold = (user: string, points: number, eventId = `hold-${++made}`) =>
  shop.post('/events', {
    type: 'REDEEMED_POINTS',
    user,
    eventId,
    payload: { points },
    hold: true,
  })
const settle = (eventId: string, verb: 'confirm' | 'cancel', base = '') =>
  shop.post(`${base}/events/${encodeURIComponent(eventId)}/${verb}`)

/** `HOLD_MINUTES` of the program, in milliseconds, while something is held. */
async function holdingFor(ms: number, act: () => Promise<void>) {
  const program = '/v1/loyalty/programs/prog_default'
  await shop.patch(program, { redemption: { holdMinutes: ms / 60_000 } })
  await act()
  await shop.patch(program, { redemption: { holdMinutes: null } })
}

describe('a held event', () => {
  it('holds the points by a redemption that waits', async () => {
    const user = await member(shop, 700)
    const { status, body } = await hold(user, 500)
    expect([status, body.points, body.balance]).toEqual([200, -500, 200])
    expect(body.hold).toMatchObject({
      status: 'held',
      discount: { amount: 500, currency: 'EUR' },
    })
    const { body: redemption } = await shop.get(`/v1/loyalty/redemptions/${body.hold.redemption}`)
    expect(redemption).toMatchObject({
      status: 'pending',
      account: user,
      points: 500,
      metadata: { event: body.eventId },
      expires_at: body.hold.expires_at,
    })
    expect(await balanceOf(shop, user)).toBe(200)
    await settle(body.eventId, 'cancel')
  })

  it('adds no reward to any list of them', async () => {
    const user = await member(shop, 700)
    const { body } = await hold(user, 500)
    const { reward } = (await shop.get(`/v1/loyalty/redemptions/${body.hold.redemption}`)).body
    expect((await shop.get(`/v1/loyalty/rewards/${reward}`)).body.active).toBe(false)
    for (const query of ['', '?active=false', `?account=${user}`, '?program=prog_default']) {
      const { data } = (await shop.get(`/v1/loyalty/rewards${query}`)).body
      expect(data.map(({ id }: { id: string }) => id)).not.toContain(reward)
    }
    await settle(body.eventId, 'cancel')
  })

  it('leaves its reward out of reach: nobody can put that into the catalogue', async () => {
    const { body } = await hold(await member(shop, 500), 500)
    const reward = '/v1/loyalty/rewards/rwd_at_till_default'
    const asks = [
      await shop.patch(reward, { active: true }),
      await shop.post(`${reward}/unarchive`, {}),
    ]
    expect(asks.map(({ status }) => status)).toEqual([404, 404])
    expect((await shop.get(reward)).body).toMatchObject({ active: false })
    await settle(body.eventId, 'cancel')
  })

  it('confirmed keeps the points taken, and its run ends', async () => {
    const user = await member(shop, 700)
    const { body } = await hold(user, 500)
    const answer = await settle(body.eventId, 'confirm')
    expect([answer.status, answer.body.hold.status]).toEqual([200, 'confirmed'])
    const ending = await ended(shop, body.hold.redemption)
    expect(ending.story).toBe('Applied: the till confirmed the sale.')
    expect(await balanceOf(shop, user)).toBe(200)
  })

  it('cancelled gives them back at once, to their lots', async () => {
    const user = await member(shop, 700)
    const { body } = await hold(user, 500)
    const answer = await settle(body.id, 'cancel', '/v1')
    expect([answer.status, answer.body.hold.status]).toEqual([200, 'returned'])
    expect(await balanceOf(shop, user)).toBe(700)
  })

  it('is not hidden behind one that takes its id for an eventId', async () => {
    const user = await member(shop, 700)
    const { body } = await hold(user, 500)
    const other = await hold(user, 100, body.id)
    expect([other.status, other.body.error.code, other.body.error.param]).toEqual([
      400,
      'parameter_invalid',
      'eventId',
    ])
    // one from before such ids were refused
    const earlier = await hold(user, 100)
    await shop.owner.query(`alter table reported_event disable trigger user;
      update reported_event set event_id = '${body.id}' where id = '${earlier.body.id}';
      alter table reported_event enable trigger user`)
    const answer = await settle(body.id, 'cancel', '/v1')
    expect([answer.status, answer.body.id, answer.body.hold.status]).toEqual([
      200,
      body.id,
      'returned',
    ])
    expect(await balanceOf(shop, user)).toBe(600)
    await settle(earlier.body.id, 'cancel')
  })

  it('of a till that dies mid-sale returns by itself', async () => {
    const user = await member(shop, 700)
    await holdingFor(1_500, async () => {
      const { body } = await hold(user, 500)
      expect(await balanceOf(shop, user)).toBe(200)
      expect(await ended(shop, body.hold.redemption)).toMatchObject({ status: 'released' })
      expect(await balanceOf(shop, user)).toBe(700)
      const late = await settle(body.eventId, 'confirm')
      expect([late.status, late.body.error.code, late.body.error.status]).toEqual([
        422,
        'redemption_already_settled',
        'released',
      ])
      expect((await hold(user, 500, body.eventId)).body.hold.status).toBe('returned')
    })
  })

  it('is settled once, and a repeat is answered as the first', async () => {
    const user = await member(shop, 500)
    const { body } = await hold(user, 500)
    const confirms = await Promise.all([1, 2, 3, 4].map(() => settle(body.eventId, 'confirm')))
    expect(confirms.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    const late = await settle(body.eventId, 'cancel')
    expect([late.status, late.body.error.status]).toEqual([422, 'applied'])
    expect(await balanceOf(shop, user)).toBe(0)
  })

  it('of points worth more than any discount may be is refused, and holds nothing', async () => {
    await shop.put('/settings', { pointsCurrencyValue: 999_999_999_999 })
    const user = await member(shop, 500)
    const { status, body } = await hold(user, 500)
    await shop.put('/settings', { pointsCurrencyValue: null })
    expect([status, body.error.code, body.error.param]).toEqual([400, 'parameter_invalid', 'hold'])
    expect(await balanceOf(shop, user)).toBe(500)
  })

  it('reported again holds nothing more, also where tills report it at once', async () => {
    const user = await member(shop, 1_000)
    const eventId = `once-${user}`
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map(() => hold(user, 300, eventId)))
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200))
    expect(new Set(answers.map(({ body }) => body.hold.redemption)).size).toBe(1)
    expect(await balanceOf(shop, user)).toBe(700)
    await settle(eventId, 'confirm')
  })

  it('never takes more than there is, whatever tills ask at once', async () => {
    const user = await member(shop, 1_000)
    const answers = await Promise.all(Array.from({ length: 8 }, () => hold(user, 300)))
    const [held, refused] = [200, 422].map((code) => answers.filter((one) => one.status === code))
    expect([held?.length, refused?.length]).toEqual([3, 5])
    expect(refused?.[0]?.body.error).toMatchObject({
      code: 'insufficient_points',
      required: 300,
    })
    expect(await balanceOf(shop, user)).toBe(100)
    for (const { body } of held ?? []) await settle(body.eventId, 'cancel')
    expect(await balanceOf(shop, user)).toBe(1_000)
  })

  it('is undone by an event that reverses it, confirmed or not', async () => {
    const user = await member(shop, 600)
    for (const isConfirmed of [true, false]) {
      const { body } = await hold(user, 500)
      if (isConfirmed) await settle(body.eventId, 'confirm')
      const undone = await shop.post('/events', {
        type: 'POINTS_REFUND',
        user,
        eventId: `undo-${body.eventId}`,
        reverses: body.eventId,
        payload: { points: 500 },
      })
      expect([undone.status, undone.body.points, undone.body.balance]).toEqual([200, 500, 600])
      expect((await hold(user, 500, body.eventId)).body.hold.status).toBe('returned')
    }
  })

  it('may be paid with instead: the payment applies it', async () => {
    const user = await member(shop, 600)
    const { body } = await hold(user, 500)
    const paid = await shop.post('/v1/payments', {
      amount: 2_999,
      currency: 'EUR',
      card: '4242424242424242',
      discounts: [{ redemption: body.hold.redemption }],
    })
    expect([paid.body.status, paid.body.amount_charged]).toEqual(['completed', 2_499])
    await ended(shop, body.hold.redemption)
    expect((await hold(user, 500, body.eventId)).body.hold.status).toBe('confirmed')
  })

  it('needs a reactor that takes points and does nothing else', async () => {
    const user = await member(shop, 600)
    await shop.post('/v1/event_types', { name: 'GIVEN', schema: { type: 'object' } })
    const given = (more: object) =>
      shop.post('/events', { type: 'GIVEN', user, hold: true, ...more })
    expect((await given({})).body.error.param).toBe('hold')
    await shop.post('/v1/reactors', {
      name: 'Gives',
      trigger: 'GIVEN',
      reactions: [{ type: 'adjust_points', points: '5' }],
    })
    expect((await given({})).body.error.param).toBe('hold')
    expect((await given({ reverses: 'x' })).body.error.param).toBe('hold')
    expect(await balanceOf(shop, user)).toBe(600)
  })

  it('of nobody, or one that holds nothing, cannot be settled', async () => {
    const user = await member(shop, 600)
    const sale = await shop.post('/events', {
      type: 'REDEEMED_POINTS',
      user,
      eventId: `sale-${user}`,
      payload: { points: 5 },
    })
    for (const id of [sale.body.eventId, 'no-such-event']) {
      expect((await settle(id, 'confirm')).status).toBe(404)
      expect((await settle(id, 'cancel')).status).toBe(404)
    }
  })
})

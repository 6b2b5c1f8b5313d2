import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'
import { ended } from '../support/redeem.ts'
import { startedRun } from '../support/run.ts'
import { balanceOf, member } from './till.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const DISCOUNT = { type: 'discount_amount', value: { amount: 500, currency: 'EUR' } }
const CREDIT = { type: 'store_credit', value: { amount: 700, currency: 'EUR' } }
const ITEM = { type: 'free_product', value: { product: 'mug' } }
const CARD = { type: 'gift_card', value: { amount: 2_500, currency: 'EUR' } }

async function reward(more: object): Promise<string> {
  const { body } = await shop.post('/v1/loyalty/rewards', { name: 'A gift', cost: 900, ...more })
  return body.id
}

let made = 0
/** An event type of its own whose reactor gives the reward. */
async function giver(given: string, more: object = {}, others: object[] = []): Promise<string> {
  const type = `GIVEN_${++made}`
  await shop.post('/v1/event_types', { name: type, schema: { type: 'object' } })
  const { status, body } = await shop.post('/v1/reactors', {
    name: 'Gives',
    trigger: type,
    reactions: [...others, { type: 'issue_reward', reward: given, ...more }],
  })
  expect([status, body]).toEqual([201, expect.anything()])
  return type
}

const report = (type: string, user: string, more: object = {}, query = '') =>
  shop.post(`/events${query}`, { type, user, eventId: `gift-${++made}`, ...more })
const giftOf = (body: { reactors: { reactions: { redemption: string }[] }[] }) =>
  body.reactors[0]?.reactions.at(-1)?.redemption ?? 'none'
const redemption = async (id: string) => (await shop.get(`/v1/loyalty/redemptions/${id}`)).body
const stock = async (id: string) => (await shop.get(`/v1/loyalty/rewards/${id}`)).body.inventory
const given = async (account: string) =>
  (await shop.get(`/v1/loyalty/redemptions?account=${account}`)).body.data
const walletOf = async (account: string) =>
  (await shop.get(`/v1/loyalty/accounts/${account}/store_credit`)).body
const undo = (type: string, user: string, reverses: string) => report(type, user, { reverses })

describe('a reactor that gives a reward', () => {
  it('gives a discount that waits for its payment, and takes no points', async () => {
    const user = await member(shop, 0)
    const type = await giver(await reward(DISCOUNT))
    const { status, body } = await report(type, user)
    expect([status, body.points, body.balance]).toEqual([200, 0, 0])
    expect(body.reactors[0]).toMatchObject({ outcome: 'activated' })
    const gift = await redemption(giftOf(body))
    expect(gift).toMatchObject({
      account: user,
      status: 'pending',
      points: 0,
      transaction: null,
      discount: { amount: 500, currency: 'EUR', code: expect.stringMatching(/^VINR-/) },
      metadata: { event: body.eventId, reactor: body.reactors[0].reactor },
    })
    const paid = await shop.post('/v1/payments', {
      amount: 2_999,
      currency: 'EUR',
      card: '4242424242424242',
      discounts: [{ redemption: gift.id }],
    })
    expect([paid.body.status, paid.body.amount_charged]).toEqual(['completed', 2_499])
    await ended(shop, gift.id)
    expect(await redemption(gift.id)).toMatchObject({ status: 'applied' })
    const { body: back } = await shop.post(`/v1/loyalty/redemptions/${gift.id}/reverse`, {
      reason: 'returned',
    })
    expect(back).toMatchObject({
      status: 'reversed',
      payment_unaffected: { discounted: 500 },
    })
    expect(await balanceOf(shop, user)).toBe(0)
  })

  it('gives store credit at once', async () => {
    const user = await member(shop, 0)
    const { body } = await report(await giver(await reward(CREDIT), { quantity: 2 }), user)
    expect(await redemption(giftOf(body))).toMatchObject({
      status: 'fulfilled',
      credit: { amount: 1_400, currency: 'EUR' },
    })
    expect(JSON.stringify(await walletOf(user))).toContain('1400')
  })

  it('gives a gift card with codes made for it, or out of a pool until that is empty', async () => {
    const user = await member(shop, 0)
    const generated = await reward({ ...CARD, codes: { generated: { length: 16 } } })
    const made = (await report(await giver(generated, { quantity: 2 }), user)).body
    const cards = await redemption(giftOf(made))
    expect(cards).toMatchObject({ status: 'fulfilled', quantity: 2 })
    expect(new Set(cards.gift_cards.map(({ code }: { code: string }) => code)).size).toBe(2)

    const pool = (await shop.post('/v1/loyalty/code_pools', { name: 'Cards' })).body.id
    await shop.post(`/v1/loyalty/code_pools/${pool}/codes`, { codes: ['CARD-OF-A-POOL'] })
    const type = await giver(await reward({ ...CARD, codes: { pool } }))
    const pooled = await redemption(giftOf((await report(type, user)).body))
    expect(pooled.gift_cards).toMatchObject([{ code: 'CARD-OF-A-POOL' }])
    expect((await report(type, user)).body.reactors[0]).toMatchObject({
      outcome: 'failed',
      reason: 'reward_out_of_stock',
    })
  })

  it('gives an item that is to be shipped, whole or not at all', async () => {
    const user = await member(shop, 0)
    const type = await giver(await reward({ ...ITEM, inventory: 9 }), { quantity: 3 })
    const gift = await redemption(giftOf((await report(type, user)).body))
    expect(gift).toMatchObject({
      status: 'fulfillment_pending',
      quantity: 3,
      fulfillment: { status: 'pending', quantity: 3, shipping: null },
    })
    const part = await shop.post(`/v1/loyalty/redemptions/${gift.id}/reverse`, {
      reason: 'one only',
      quantity: 1,
    })
    expect([part.status, part.body.error.param]).toEqual([400, 'quantity'])
    await shop.post(`/v1/loyalty/redemptions/${gift.id}/fulfill`, { quantity: 1 })
    await (await startedRun(shop.engine, gift.id)).cancel()
    await ended(shop, gift.id)
    const rest = await redemption(gift.id)
    expect(rest).toMatchObject({ status: 'fulfilled', reversed_quantity: 2 })
    expect(await stock(gift.reward)).toBe(8)
  })

  it('has it return by itself where it is not used: no points come back, its stock does', async () => {
    const user = await member(shop, 50)
    const id = await reward({ ...DISCOUNT, inventory: 2, holdMinutes: 1_500 / 60_000 })
    const { body } = await report(await giver(id), user)
    expect(await stock(id)).toBe(1)
    expect(await ended(shop, giftOf(body))).toMatchObject({ status: 'released' })
    expect(await stock(id)).toBe(2)
    expect(await balanceOf(shop, user)).toBe(50)
  })

  it('gives once, whatever tills report the event at once', async () => {
    const user = await member(shop, 0)
    const id = await reward({ ...DISCOUNT, inventory: 5 })
    const type = await giver(id)
    const eventId = `once-${user}`
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => report(type, user, { eventId })),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(new Set(answers.map(({ body }) => giftOf(body))).size).toBe(1)
    expect(await given(user)).toHaveLength(1)
    expect(await stock(id)).toBe(4)
  })

  it('gives the last one once, whoever asks at once', async () => {
    const id = await reward({ ...ITEM, inventory: 1 })
    const type = await giver(id)
    const users = await Promise.all(Array.from({ length: 8 }, () => member(shop, 0)))
    const answers = await Promise.all(users.map((user) => report(type, user)))
    const outcomes = answers.map(({ body }) => body.reactors[0])
    expect(outcomes.filter(({ outcome }) => outcome === 'activated')).toHaveLength(1)
    expect(outcomes.filter(({ reason }) => reason === 'reward_out_of_stock')).toHaveLength(7)
    expect(await stock(id)).toBe(0)
  })
})

describe('a reward that cannot be given', () => {
  const withheld = [
    ['reward_inactive', { active: false }],
    ['reward_out_of_stock', { inventory: 0 }],
    ['reward_ended', { starts_at: '2020-01-01T00:00:00Z', ends_at: '2020-02-01T00:00:00Z' }],
  ] as const

  it.each(withheld)('fails its whole reactor with %s, and a strict event', async (code, more) => {
    const user = await member(shop, 0)
    const type = await giver(await reward({ ...CREDIT, ...more }), {}, [
      { type: 'adjust_points', points: '50' },
    ])
    const { status, body } = await report(type, user)
    expect([status, body.points]).toEqual([200, 0])
    expect(body.reactors[0]).toMatchObject({ outcome: 'failed', reason: code, reactions: [] })
    const strict = await report(type, user, {}, '?strict=true')
    expect([strict.status, strict.body.error.code]).toEqual([422, code])
    expect([await balanceOf(shop, user), await given(user)]).toEqual([0, []])
  })

  it('for its limit fails the second time, and takes back what the reactor did before it', async () => {
    const user = await member(shop, 0)
    const type = await giver(await reward({ ...CREDIT, per_member_limit: 1 }), {}, [
      { type: 'adjust_points', points: '50' },
      { type: 'emit_event', event: 'gift.given' },
    ])
    const [first, second] = await Promise.all([report(type, user), report(type, user)])
    const outcomes = [first, second].map(({ body }) => body.reactors[0].reason ?? 'activated')
    expect(new Set(outcomes)).toEqual(new Set(['activated', 'limit_reached']))
    expect(await balanceOf(shop, user)).toBe(50)
    expect(await given(user)).toHaveLength(1)
  })

  it('twice by one reactor with one left gives none', async () => {
    const user = await member(shop, 0)
    const id = await reward({ ...CREDIT, inventory: 1 })
    const type = await giver(id, {}, [{ type: 'issue_reward', reward: id }])
    const { body } = await report(type, user)
    expect(body.reactors[0]).toMatchObject({ outcome: 'failed', reason: 'reward_out_of_stock' })
    expect([await stock(id), await given(user)]).toEqual([1, []])
  })

  it('is refused when the reactor is made: unknown, with variants, a percentage twice', async () => {
    const ask = (reaction: object) =>
      shop.post('/v1/reactors', {
        name: 'Gives',
        trigger: `GIVEN_${made}`,
        reactions: [{ type: 'issue_reward', ...reaction }],
      })
    await giver(await reward(CREDIT))
    expect((await ask({ reward: 'rwd_none' })).status).toBe(404)
    const sizes = await reward({ ...ITEM, variants: [{ id: 's' }, { id: 'm' }] })
    expect((await ask({ reward: sizes })).body.error.param).toBe('reactions.0.reward')
    const percent = await reward({ type: 'discount_percent', value: { percent: 10 } })
    const twice = await ask({ reward: percent, quantity: 2 })
    expect([twice.status, twice.body.error.param]).toEqual([400, 'reactions.0.quantity'])
  })
})

describe('a gift', () => {
  it('tried out writes nothing', async () => {
    const user = await member(shop, 0)
    const id = await reward({ ...CREDIT, inventory: 1 })
    const type = await giver(id)
    const { body } = await report(type, user, {}, '?dry_run=true')
    expect(body.reactors[0]).toMatchObject({
      outcome: 'activated',
      reactions: [{ type: 'issue_reward', reward: id, quantity: 1, redemption: null }],
    })
    expect([await stock(id), await given(user)]).toEqual([1, []])
  })

  it.each([
    ['discount', DISCOUNT],
    ['credit', CREDIT],
    ['item', ITEM],
    ['card', { ...CARD, codes: { generated: { length: 16 } } }],
  ])('of the kind %s goes with its event, beside the points', async (_kind, kind) => {
    const user = await member(shop, 0)
    const id = await reward({ ...kind, inventory: 1 })
    const type = await giver(id, {}, [{ type: 'adjust_points', points: '50' }])
    const { body } = await report(type, user)
    expect([body.balance, await stock(id)]).toEqual([50, 0])
    const { status, body: back } = await undo(type, user, body.eventId)
    expect([status, back.points, back.balance]).toEqual([200, -50, 0])
    expect(await redemption(giftOf(body))).toMatchObject({
      status: 'reversed',
      reason: 'event_reversed',
    })
    expect(await stock(id)).toBe(1)
    expect((await undo(type, user, body.eventId)).body.id).toBe(back.id)
    expect(await stock(id)).toBe(1)
  })

  it('reversed by hand already keeps its event from nothing', async () => {
    const user = await member(shop, 0)
    const type = await giver(await reward(CREDIT), {}, [{ type: 'adjust_points', points: '50' }])
    const { body } = await report(type, user)
    await shop.post(`/v1/loyalty/redemptions/${giftOf(body)}/reverse`, { reason: 'mistake' })
    expect((await undo(type, user, body.eventId)).body.balance).toBe(0)
  })

  it('cannot be held', async () => {
    const user = await member(shop, 500)
    const { status, body } = await report(await giver(await reward(CREDIT)), user, { hold: true })
    expect([status, body.error.param]).toEqual([400, 'hold'])
  })
})

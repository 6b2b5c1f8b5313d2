import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Shop } from './shop.ts'

// Anybody who reads a shop's pages has its publishable key.

const SHOWN = [
  'categories',
  'cost',
  'created_at',
  'ends_at',
  'holdMinutes',
  'id',
  'images',
  'livemode',
  'min_tier',
  'name',
  'object',
  'per_member_limit',
  'program',
  'starts_at',
  'tier_costs',
  'type',
  'value',
  'variants',
]
const PAST = '2020-01-01T00:00:00Z'
const FUTURE = '2099-01-01T00:00:00Z'

let shop: Shop
let pk: string
beforeAll(async () => {
  shop = await openShop({ worker: false })
  pk = shop.keys.publishableKey
})
afterAll(() => shop.close())

const created = async (path: string, body: object) => {
  const { status, body: object } = await shop.post(path, body)
  expect(status, JSON.stringify(object)).toBe(201)
  return object
}
const member = async (amount: number): Promise<string> => {
  const { id } = await created('/v1/loyalty/accounts', {})
  await created('/v1/loyalty/transactions', { account: id, amount, reason: 'welcome' })
  return id
}
const reward = (more: object) =>
  created('/v1/loyalty/rewards', {
    name: 'Five off',
    type: 'discount_amount',
    cost: 500,
    value: { amount: 500, currency: 'EUR' },
    ...more,
  })
const quote = (body: object, key = pk) => shop.post('/v1/loyalty/quotes', body, { key })
const catalogue = async (query: string, key = pk) => {
  const { status, body } = await shop.get(`/v1/loyalty/rewards?${query}`, key)
  expect(status, JSON.stringify(body)).toBe(200)
  return body.data
}
const codes = (reasons: { code: string }[]) => reasons.map(({ code }) => code)

describe('a quote asked with a publishable key', () => {
  it('says affordable or not, and no number of the points that there are or are missing', async () => {
    const [account, { id }] = [await member(123), await reward({ per_member_limit: 3 })]
    const asked = { account, reward: id }
    const { status, body } = await quote(asked)
    expect([status, body.affordable, body.points]).toEqual([200, false, 500])
    expect(Object.keys(body)).not.toContain('available')
    expect(Object.keys(body)).not.toContain('missing')
    expect(body.reasons).toEqual([
      { code: 'insufficient_points', message: 'The account has not enough points.' },
    ])
    const { body: known } = await quote(asked, shop.keys.secretKey)
    expect(known).toMatchObject({ available: 123, missing: 377 })
    expect(known.reasons[0]).toMatchObject({ required: 500, available: 123, missing: 377 })
  })

  it('names of no reason more than its code and sentence: neither tier nor stock nor what was used', async () => {
    await shop.patch('/v1/loyalty/programs/prog_default', {
      tierConfig: { tiers: [{ name: 'Gold', rank: 1, threshold: 1_000, multiplier: 1 }] },
    })
    const account = await member(10)
    const { id } = await reward({ min_tier: 'Gold', inventory: 0 })
    const { body } = await quote({ account, reward: id })
    expect(codes(body.reasons)).toEqual([
      'reward_out_of_stock',
      'tier_required',
      'insufficient_points',
    ])
    for (const reason of body.reasons) expect(Object.keys(reason)).toEqual(['code', 'message'])
  })

  it('is for one: by quantities a balance could be found', async () => {
    const asked = { account: await member(1_700), reward: (await reward({})).id, quantity: 2 }
    const { status, body } = await quote(asked)
    expect([status, body.error.code, body.error.param]).toEqual([
      400,
      'parameter_invalid',
      'quantity',
    ])
    expect((await quote(asked, shop.keys.secretKey)).body.affordable).toBe(true)
    expect((await quote({ ...asked, quantity: 1 })).body.affordable).toBe(true)
  })

  it('is answered sixty times a minute and account, the catalogue for it included; not so with a secret key', async () => {
    const [account, other, { id }] = [await member(1), await member(1), await reward({})]
    for (let asked = 0; asked < 30; asked++) {
      expect((await quote({ account, reward: id })).status).toBe(200)
      await catalogue(`account=${account}&limit=1`)
    }
    const refused = await quote({ account, reward: id })
    expect([refused.status, refused.body.error.code]).toEqual([429, 'too_many_requests'])
    const listed = await shop.get(`/v1/loyalty/rewards?account=${account}`, pk)
    expect([listed.status, listed.body.error.code]).toEqual([429, 'too_many_requests'])
    expect((await quote({ account: other, reward: id })).status).toBe(200)
    expect((await quote({ account, reward: id }, shop.keys.secretKey)).status).toBe(200)
    await catalogue('limit=1')
  })

  it.each([
    ['inactive', { active: false }],
    ['not started', { starts_at: FUTURE }],
    ['ended', { starts_at: PAST, ends_at: '2021-01-01T00:00:00Z' }],
  ])('of a reward that is %s is 404, as for one that nobody has', async (_title, more) => {
    const { id } = await reward(more)
    const asked = { account: await member(1), reward: id }
    const { status, body } = await quote(asked)
    expect([status, body.error.code, body.error.param]).toEqual([404, 'resource_missing', 'reward'])
    expect((await quote(asked, shop.keys.secretKey)).status).toBe(200)
  })
})

describe('rewards read with a publishable key', () => {
  it('are the ones that a shopper could choose now', async () => {
    const category = 'hidden'
    const on = await reward({ categories: [category], starts_at: PAST })
    const off = [
      await reward({ categories: [category], active: false }),
      await reward({ categories: [category], starts_at: FUTURE }),
      await reward({ categories: [category], ends_at: PAST }),
      await reward({ categories: [category] }),
    ]
    await shop.post(`/v1/loyalty/rewards/${off[3].id}/archive`)
    const ids = (data: { id: string }[]) => data.map(({ id }) => id)
    expect(ids(await catalogue(`category=${category}`))).toEqual([on.id])
    expect(await catalogue(`category=${category}&archived=true`)).toEqual([])
    expect(await catalogue(`category=${category}&active=false`)).toEqual([])
    expect(await catalogue(`category=${category}`, shop.keys.secretKey)).toHaveLength(4)
    for (const { id } of off) {
      const { status, body } = await shop.get(`/v1/loyalty/rewards/${id}`, pk)
      expect([status, body.error.code]).toEqual([404, 'resource_missing'])
      expect((await shop.get(`/v1/loyalty/rewards/${id}`)).status).toBe(200)
    }
    expect((await shop.get(`/v1/loyalty/rewards/${on.id}`, pk)).status).toBe(200)
  })

  it('are told by an allow-list of fields: no metadata, stock, pools or what a merchant does when late', async () => {
    const pool = await created('/v1/loyalty/code_pools', { name: 'Cinema' })
    const { id } = await reward({
      type: 'gift_card',
      categories: ['cards'],
      codes: { pool: pool.id },
      inventory: 7,
      metadata: { margin: '0.4' },
      fulfillment: { deadlineDays: 3, onOverdue: 'refund' },
    })
    const { body } = await shop.get(`/v1/loyalty/rewards/${id}`, pk)
    expect(Object.keys(body).sort()).toEqual(SHOWN)
    const [listed] = await catalogue('category=cards')
    expect(Object.keys(listed).sort()).toEqual(SHOWN)
    expect(JSON.stringify(listed)).not.toContain(pool.id)
    const { body: whole } = await shop.get(`/v1/loyalty/rewards/${id}`)
    expect(whole).toMatchObject({ inventory: 7, metadata: { margin: '0.4' }, active: true })
  })

  it('have the variants that are sold, without their stock', async () => {
    const { id } = await reward({
      type: 'free_product',
      value: { product: 'Shirt' },
      variants: [
        { id: 'm', attributes: { size: 'M' }, inventory: 4 },
        { id: 'l', attributes: { size: 'L' }, active: false },
      ],
    })
    const { body } = await shop.get(`/v1/loyalty/rewards/${id}`, pk)
    expect(body.variants).toEqual([{ id: 'm', attributes: { size: 'M' }, cost: null }])
  })

  it('for an account have a price, affordable and reasons without numbers, also by variant', async () => {
    const account = await member(100)
    await reward({
      type: 'free_product',
      value: { product: 'Shirt' },
      categories: ['shirts'],
      variants: [{ id: 'm', attributes: { size: 'M' } }],
    })
    const [shown] = await catalogue(`category=shirts&account=${account}`)
    const judged = {
      affordable: false,
      points: 500,
      reasons: [{ code: 'insufficient_points', message: 'The account has not enough points.' }],
    }
    expect(shown).toMatchObject(judged)
    expect(shown.reasons).toEqual(judged.reasons)
    expect(shown.variants).toEqual([{ id: 'm', attributes: { size: 'M' }, cost: null, ...judged }])
  })
})

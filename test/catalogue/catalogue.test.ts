import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
  await shop.patch('/v1/loyalty/programs/prog_default', {
    tierConfig: { qualifyOn: 'custom', tiers: [{ name: 'Gold', rank: 1, threshold: 1 }] },
  })
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const shirt = { name: 'Shirt', type: 'free_product', cost: 400, value: { product: 'Shirt' } }
const fiveOff = { type: 'discount_amount', value: { amount: 500, currency: 'EUR' } }

async function reward(more: object = {}) {
  const { body, status } = await shop.post('/v1/loyalty/rewards', { ...shirt, ...more })
  expect([status, body]).toEqual([201, expect.anything()])
  return body
}

async function member(points = 5_000) {
  const { body } = await shop.post('/v1/loyalty/accounts', {})
  const account: string = body.id
  if (points > 0) {
    await shop.post('/v1/loyalty/transactions', { account, amount: points, reason: 'test' })
  }
  return account
}

const redeem = (account: string, of: string, more: object = {}) =>
  shop.post('/v1/loyalty/redemptions', { account, reward: of, ...more })
const read = async (id: string) => (await shop.get(`/v1/loyalty/rewards/${id}`)).body
const cancel = (id: string) => shop.post(`/v1/loyalty/redemptions/${id}/cancel`)
const reverse = (id: string, key?: string) =>
  shop.post(
    `/v1/loyalty/redemptions/${id}/reverse`,
    { reason: 'returned' },
    key === undefined ? {} : { idempotencyKey: key },
  )

describe('a variant', () => {
  const variants = [
    { id: 'm-red', attributes: { size: 'M', colour: 'red' }, inventory: 1 },
    { id: 'l-blue', attributes: { size: 'L', colour: 'blue' }, cost: 600 },
  ]

  it('has its own stock and price, which its redemption takes and its reversal gives back once', async () => {
    const { id } = await reward({ variants })
    const account = await member()
    const red = await redeem(account, id, { variant: 'm-red' })
    expect([red.status, red.body.variant, red.body.points]).toEqual([201, 'm-red', 400])
    const blue = await redeem(account, id, { variant: 'l-blue' })
    expect([blue.status, blue.body.points]).toEqual([201, 600])
    const gone = await redeem(await member(), id, { variant: 'm-red' })
    expect([gone.status, gone.body.error.code]).toEqual([422, 'reward_out_of_stock'])

    expect((await reverse(red.body.id, 'once')).body.status).toBe('reversed')
    expect((await reverse(red.body.id, 'once')).headers['idempotent-replayed']).toBe('true')
    expect((await reverse(red.body.id)).body.error.code).toBe('redemption_already_settled')
    const [m, l] = (await read(id)).variants
    expect([m.inventory, l.inventory]).toEqual([1, null])
  })

  it('must be named where there are some, and not where there are none', async () => {
    const { id } = await reward({ variants })
    const plain = await reward()
    const account = await member()
    for (const send of [
      (body: object) => shop.post('/v1/loyalty/redemptions', body),
      (body: object) => shop.post('/v1/loyalty/quotes', body),
    ]) {
      const none = await send({ account, reward: id })
      expect([none.status, none.body.error.code, none.body.error.param]).toEqual([
        400,
        'parameter_missing',
        'variant',
      ])
      const unknown = await send({ account, reward: id, variant: 'xxl' })
      expect([unknown.status, unknown.body.error.code]).toEqual([404, 'resource_missing'])
      const needless = await send({ account, reward: plain.id, variant: 'm-red' })
      expect([needless.status, needless.body.error.code]).toEqual([400, 'parameter_invalid'])
    }
  })

  it('is changed by its id, added by a new one, and taken away by active: false', async () => {
    const { id } = await reward({ variants })
    const { body } = await shop.patch(`/v1/loyalty/rewards/${id}`, {
      variants: [{ id: 'm-red', inventory: 7 }, { id: 's-red' }, { id: 'l-blue', active: false }],
    })
    expect(body.variants).toEqual([
      { ...variants[0], inventory: 7, cost: null, active: true },
      { ...variants[1], inventory: null, active: false },
      { id: 's-red', attributes: {}, inventory: null, cost: null, active: true },
    ])
    const away = await redeem(await member(), id, { variant: 'l-blue' })
    expect(away.body.error.code).toBe('reward_inactive')
    const counted = await shop.patch(`/v1/loyalty/rewards/${id}`, { inventory: 3 })
    expect([counted.status, counted.body.error.param]).toEqual([400, 'inventory'])
  })
})

describe('the price of a tier', () => {
  it('is what its members pay, in the quote, the catalogue and the redemption alike', async () => {
    const { id, tier_costs } = await reward({ tier_costs: { Gold: 250 } })
    expect(tier_costs).toEqual({ Gold: 250 })
    const gold = await member(300)
    await shop.post(`/v1/loyalty/accounts/${gold}/set_tier`, { tier: 'Gold' })
    const plain = await member(300)
    const priceFor = async (account: string) => {
      const quote = await shop.post('/v1/loyalty/quotes', { account, reward: id })
      const listed = await shop.get(`/v1/loyalty/rewards?limit=100&account=${account}`)
      const shown = listed.body.data.find((one: { id: string }) => one.id === id)
      return [quote.body.points, shown.points, shown.affordable]
    }
    expect(await priceFor(gold)).toEqual([250, 250, true])
    expect(await priceFor(plain)).toEqual([400, 400, false])
    expect((await redeem(gold, id)).body.points).toBe(250)
    expect((await redeem(plain, id)).body.error.code).toBe('insufficient_points')
  })

  it('is refused for a tier that the program has not, and taken away by null', async () => {
    const { status, body } = await shop.post('/v1/loyalty/rewards', {
      ...shirt,
      tier_costs: { Tin: 1 },
    })
    expect([status, body.error.param]).toEqual([400, 'tier_costs'])
    const { id } = await reward({ tier_costs: { Gold: 250 } })
    const after = await shop.patch(`/v1/loyalty/rewards/${id}`, { tier_costs: { Gold: null } })
    expect(after.body.tier_costs).toBeNull()
  })
})

describe('a per-member limit', () => {
  it('counts in its window, says when that ends, and is given back by release and reversal', async () => {
    const { id, per_member_limit } = await reward({
      ...fiveOff,
      per_member_limit: { quantity: 1, window: 'day' },
    })
    expect(per_member_limit).toEqual({ quantity: 1, window: 'day' })
    const account = await member()
    const first = await redeem(account, id)
    const second = await redeem(account, id)
    expect(second.body.error).toMatchObject({ code: 'limit_reached', limit: 1, window: 'day' })
    const resets = new Date(second.body.error.resets_at)
    expect(resets.getTime()).toBeGreaterThan(Date.now())
    expect(resets.toISOString()).toMatch(/T00:00:00.000Z$/)
    await cancel(first.body.id)
    expect((await redeem(account, id)).status).toBe(201)
    expect((await redeem(account, id)).body.error.code).toBe('limit_reached')
  })

  it('of yesterday does not count today, and for life it does', async () => {
    const daily = await reward({ per_member_limit: { quantity: 1, window: 'day' } })
    const once = await reward({ per_member_limit: 1 })
    const account = await member()
    for (const { id } of [daily, once]) {
      const { body } = await redeem(account, id)
      await shop.owner.query(
        `update redemption set created_at = created_at - interval '1 day' where id = $1`,
        [body.id],
      )
    }
    expect((await redeem(account, daily.id)).status).toBe(201)
    expect((await redeem(account, once.id)).body.error.code).toBe('limit_reached')
    expect(once.per_member_limit).toBe(1)
  })
})

describe('stock', () => {
  it('comes back once by cancel and by reversal, however often they are sent', async () => {
    const off = await reward({ ...fiveOff, inventory: 2 })
    const account = await member()
    const one = await redeem(account, off.id)
    expect((await read(off.id)).inventory).toBe(1)
    await Promise.all([cancel(one.body.id), cancel(one.body.id), reverse(one.body.id)])
    expect((await read(off.id)).inventory).toBe(2)
  })

  it('that was not counted when it was taken does not come back', async () => {
    const { id } = await reward()
    const taken = await redeem(await member(), id)
    await shop.patch(`/v1/loyalty/rewards/${id}`, { inventory: 5 })
    await reverse(taken.body.id)
    expect((await read(id)).inventory).toBe(5)
  })
})

describe('a percentage with a cap', () => {
  it('takes the cap where the percentage would be more', async () => {
    const { id } = await reward({
      type: 'discount_percent',
      value: { percent: 20, maxAmount: 300, currency: 'EUR' },
    })
    const charged = async (amount: number) => {
      const { body } = await redeem(await member(), id)
      const paid = await shop.post('/v1/payments', {
        amount,
        currency: 'EUR',
        redemptions: [body.id],
      })
      return paid.body.amount_charged
    }
    expect(await charged(1_000)).toBe(800)
    expect(await charged(10_000)).toBe(9_700)
  })
})

describe('the catalogue', () => {
  it('is filtered by category and shows images', async () => {
    const image = 'https://cdn.example.com/mug.jpg'
    const mug = await reward({ categories: ['kitchen', 'gifts'], images: [image] })
    const listed = await shop.get('/v1/loyalty/rewards?category=kitchen')
    expect(listed.body.data).toEqual([mug])
    expect(mug.images).toEqual([image])
    const { status } = await shop.post('/v1/loyalty/rewards', {
      ...shirt,
      images: ['http://cdn.example.com/mug.jpg'],
    })
    expect(status).toBe(400)
  })

  it('leaves out what is archived, which can no longer be redeemed until it is put back', async () => {
    const { id } = await reward({ categories: ['old'] })
    const archived = await shop.post(`/v1/loyalty/rewards/${id}/archive`)
    expect(archived.body.archived_at).not.toBeNull()
    const again = await shop.post(`/v1/loyalty/rewards/${id}/archive`)
    expect(again.body).toEqual(archived.body)
    expect((await shop.get('/v1/loyalty/rewards?category=old')).body.data).toEqual([])
    const kept = await shop.get('/v1/loyalty/rewards?category=old&archived=true')
    expect(kept.body.data).toEqual([archived.body])
    expect((await redeem(await member(), id)).body.error.code).toBe('reward_inactive')
    await shop.post(`/v1/loyalty/rewards/${id}/unarchive`)
    expect((await redeem(await member(), id)).status).toBe(201)
  })

  it('says for a member what is affordable, what is not and why, variant by variant', async () => {
    const { id } = await reward({
      categories: ['judged'],
      variants: [
        { id: 'none', inventory: 0 },
        { id: 'dear', cost: 10_000 },
        { id: 'fine', cost: 450 },
      ],
    })
    await reward({ categories: ['judged'], ends_at: '2020-01-01T00:00:00Z' })
    const account = await member(500)
    const { body } = await shop.get(`/v1/loyalty/rewards?category=judged&account=${account}`)
    const [ended, varied] = body.data
    expect(ended).toMatchObject({ affordable: false, reasons: [{ code: 'reward_ended' }] })
    expect(varied).toMatchObject({ id, affordable: true, reasons: [], points: 450 })
    const codes = varied.variants.map((one: { reasons: { code: string }[] }) =>
      one.reasons.map(({ code }) => code),
    )
    expect(codes).toEqual([['reward_out_of_stock'], ['insufficient_points'], []])
    const [, dear] = varied.variants
    expect(dear.reasons[0]).toMatchObject({ required: 10_000, available: 500, missing: 9_500 })
  })
})

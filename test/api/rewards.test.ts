import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Shop } from './shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ worker: false })
})
afterAll(() => shop.close())

const offer = {
  name: 'Five off',
  type: 'discount_amount',
  cost: 500,
  value: { amount: 500, currency: 'eur' },
}
const create = async (more: object = {}) =>
  (await shop.post('/v1/loyalty/rewards', { ...offer, ...more })).body

describe('a reward', () => {
  it('is created with the defaults of the contract and read back the same', async () => {
    const created = await create()
    expect(created).toMatchObject({
      object: 'reward',
      program: 'prog_default',
      value: { amount: 500, currency: 'EUR' },
      active: true,
      inventory: null,
      starts_at: null,
      ends_at: null,
      per_member_limit: null,
      min_tier: null,
      holdMinutes: null,
      fulfillment: null,
      metadata: {},
      livemode: false,
    })
    expect((await shop.get(`/v1/loyalty/rewards/${created.id}`)).body).toEqual(created)
  })

  it.each([
    ['discount_percent', { percent: 12.5, maxAmount: 1_000, currency: 'EUR' }],
    ['free_product', { product: 'Tote bag', quantity: 2 }],
    ['store_credit', { amount: 500, currency: 'EUR' }],
    ['gift_card', { amount: 2_500, currency: 'NOK' }],
    ['partner', { partner: 'Cinema', sku: 'ticket' }],
  ])('may be a %s', async (type, value) => {
    expect(await create({ type, value })).toMatchObject({ type, value })
  })

  it('keeps what an update does not name, also inside value, fulfillment and metadata', async () => {
    const { id } = await create({
      inventory: 5,
      fulfillment: { deadlineDays: 7, onOverdue: 'refund' },
      metadata: { season: 'autumn', colour: 'red' },
    })
    const { status, body } = await shop.patch(`/v1/loyalty/rewards/${id}`, {
      value: { amount: 600 },
      fulfillment: { deadlineDays: 9 },
      metadata: { colour: null, size: 'L' },
      holdMinutes: 0.5,
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      name: 'Five off',
      inventory: 5,
      value: { amount: 600, currency: 'EUR' },
      fulfillment: { deadlineDays: 9, onOverdue: 'refund' },
      holdMinutes: 0.5,
    })
    expect(body.metadata).toEqual({ season: 'autumn', size: 'L' })
  })

  it('loses a limit by null, and nothing by an empty update', async () => {
    const { id } = await create({ inventory: 5, ends_at: '2099-01-01T00:00:00+01:00' })
    const changed = await shop.patch(`/v1/loyalty/rewards/${id}`, { inventory: null })
    expect(changed.body).toMatchObject({ inventory: null, ends_at: '2098-12-31T23:00:00.000Z' })
    expect((await shop.patch(`/v1/loyalty/rewards/${id}`, {})).body).toEqual(changed.body)
  })

  it.each([
    ['a field of another type', { value: { percent: 10 } }, 'value.percent'],
    ['an end before its start', { ends_at: '2029-01-01T00:00:00Z' }, 'ends_at'],
    ['a start after its end', { starts_at: '2100-01-01T00:00:00Z' }, 'starts_at'],
    ['no amount', { value: { amount: 0 } }, 'value.amount'],
    ['a hold in which nothing can be written', { holdMinutes: 1e-320 }, 'holdMinutes'],
  ])('refuses an update to %s', async (_what, change, param) => {
    const before = await create({
      starts_at: '2030-01-01T00:00:00Z',
      ends_at: '2099-01-01T00:00:00Z',
    })
    const { status, body } = await shop.patch(`/v1/loyalty/rewards/${before.id}`, change)
    expect([status, body.error.param]).toEqual([400, param])
    expect((await shop.get(`/v1/loyalty/rewards/${before.id}`)).body).toEqual(before)
  })
})

describe('the catalogue', () => {
  it('tells a member what they can afford, and why not, in the words of a refused create', async () => {
    const dear = await create({ cost: 100_000 })
    const closed = await create({ active: false })
    const { body } = await shop.get('/v1/loyalty/rewards?account=loy_9f2k&limit=100')
    const byId = new Map<string, { affordable: boolean; reasons: { code: string }[] }>(
      body.data.map((reward: { id: string }) => [reward.id, reward]),
    )
    expect(byId.get('rwd_totebag')).toMatchObject({ affordable: true, reasons: [] })
    expect(byId.get(dear.id)).toMatchObject({
      affordable: false,
      reasons: [{ code: 'insufficient_points', missing: 95_000 }],
    })
    expect(byId.get(closed.id)?.reasons.map(({ code }) => code)).toEqual(['reward_inactive'])
    const refused = await shop.post('/v1/loyalty/redemptions', {
      account: 'loy_9f2k',
      reward: closed.id,
    })
    expect([refused.status, refused.body.error.code]).toEqual([422, 'reward_inactive'])
  })

  it('does not tell anything of a member who is not there', async () => {
    const { status, body } = await shop.get('/v1/loyalty/rewards?account=loy_nobody')
    expect([status, body.error.param]).toEqual([404, 'account'])
  })

  it('is read page by page without a gap or a repeat, newest first', async () => {
    const all = (await shop.get('/v1/loyalty/rewards?limit=100')).body.data.map(
      ({ id }: { id: string }) => id,
    )
    const seen: string[] = []
    for (let cursor = ''; ; cursor = `&starting_after=${seen.at(-1)}`) {
      const { body } = await shop.get(`/v1/loyalty/rewards?limit=3${cursor}`)
      seen.push(...body.data.map(({ id }: { id: string }) => id))
      if (!body.has_more) break
    }
    expect(seen).toEqual(all)
    const back = await shop.get(`/v1/loyalty/rewards?limit=2&ending_before=${all[4]}`)
    expect(back.body.data.map(({ id }: { id: string }) => id)).toEqual([all[2], all[3]])
  })
})

describe('a quote', () => {
  it('says what would happen, and writes nothing', async () => {
    const ask = { account: 'loy_9f2k', reward: 'rwd_fivecredit', quantity: 2 }
    const { status, body } = await shop.post('/v1/loyalty/quotes', ask)
    expect(status).toBe(200)
    expect(body).toEqual({
      object: 'quote',
      ...ask,
      reward_type: 'discount_amount',
      affordable: true,
      points: 1_000,
      available: 5_000,
      missing: 0,
      reasons: [],
      discount: { amount: 1_000, currency: 'EUR' },
      hold_minutes: 30,
      livemode: false,
    })
    expect((await shop.get('/v1/loyalty/redemptions')).body.data).toEqual([])
  })

  it('lists every reason, with the points that are missing', async () => {
    const { id } = await create({ cost: 4_000, ends_at: '2020-01-01T00:00:00Z', active: false })
    const { body } = await shop.post('/v1/loyalty/quotes', {
      account: 'loy_9f2k',
      reward: id,
      quantity: 2,
    })
    expect(body).toMatchObject({
      affordable: false,
      points: 8_000,
      available: 5_000,
      missing: 3_000,
    })
    expect(body.reasons.map(({ code }: { code: string }) => code)).toEqual([
      'reward_inactive',
      'reward_ended',
      'insufficient_points',
    ])
    const ended = '2020-01-01T00:00:00.000Z'
    expect(body.reasons[1]).toMatchObject({
      ends_at: ended,
      message: `The reward ended at ${ended}.`,
    })
  })

  it('refuses a percentage twice', async () => {
    const { id } = await create({ type: 'discount_percent', value: { percent: 10 } })
    for (const path of ['/v1/loyalty/quotes', '/v1/loyalty/redemptions']) {
      const answer = await shop.post(path, { account: 'loy_9f2k', reward: id, quantity: 2 })
      expect([answer.status, answer.body.error.param]).toEqual([400, 'quantity'])
    }
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ worker: false })
})
afterAll(() => shop.close())

type Act = Record<string, unknown> & { id: string; type: string; at: string; workflow: string }

const DAY_MS = 86_400_000
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString()
const read = async (path: string): Promise<{ data: Act[]; has_more: boolean }> => {
  const { status, body } = await shop.get(path)
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body
}
const of = async (account: string) => (await read(`/v1/loyalty/accounts/${account}/upcoming`)).data
const gift = (account: string, amount: number, more: object = {}) =>
  shop.post('/v1/loyalty/transactions', { account, amount, reason: 'gift', ...more })

/** Follows the cursors to the end. */
async function readOn(path: string, limit: number): Promise<Act[]> {
  const all: Act[] = []
  for (;;) {
    const last = all.at(-1)
    const after = last === undefined ? '' : `&starting_after=${last.id}`
    const { data, has_more } = await read(`${path}?limit=${limit}${after}`)
    all.push(...data)
    if (!has_more) return all
  }
}

/** A member to whom everything will happen that can happen to one. */
async function busyMember() {
  const program = (
    await shop.post('/v1/loyalty/programs', {
      name: 'Busy',
      expiry: { warnDaysBefore: 30 },
      tierConfig: {
        qualifyOn: 'points',
        period: { type: 'rolling', months: 12 },
        tiers: [{ name: 'Gold', rank: 1, threshold: 100 }],
      },
    })
  ).body.id
  const customer = newId('op')
  const account = (await shop.post('/v1/loyalty/accounts', { program, customer })).body.id as string
  const rewardOf = async (more: object) =>
    (await shop.post('/v1/loyalty/rewards', { program, cost: 50, ...more })).body.id
  const discount = await rewardOf({
    name: 'Off',
    type: 'discount_amount',
    value: { amount: 500, currency: 'EUR' },
  })
  const item = await rewardOf({
    name: 'Tote',
    type: 'free_product',
    value: { product: 'tote', quantity: 1 },
    fulfillment: { deadlineDays: 7 },
  })
  await gift(account, 500, { expires_at: inDays(90) })
  await gift(account, 70, { expires_at: inDays(10) })
  await shop.post('/v1/loyalty/earning_rules', { program, award: { fixed: 8 }, pendingDays: 14 })
  const hold = await shop.post('/v1/loyalty/redemptions', { account, reward: discount })
  const parcel = await shop.post('/v1/loyalty/redemptions', {
    account,
    reward: item,
    shipping: { name: 'A', line1: 'B', city: 'C', postalCode: '1', country: 'NO' },
  })
  const card = '4242424242424242'
  const paid = await shop.post('/v1/payments', { amount: 100, currency: 'eur', customer, card })
  const open = await shop.post('/v1/payments', { amount: 100, currency: 'eur', customer })
  return { account, hold: hold.body, parcel: parcel.body, paid: paid.body, open: open.body }
}

describe('what comes to a member', () => {
  it('is listed soonest first, each with its time and the run that does it', async () => {
    const { account, hold, parcel, paid, open } = await busyMember()
    const acts = await of(account)
    const ws = shop.workspace
    expect(acts.map(({ type, workflow, points }) => [type, workflow, points])).toEqual([
      ['points_warning', `expiry/${ws}/${account}`, 70],
      ['redemption_release', hold.id, 50],
      ['payment_expires', `${ws}/${open.id}`, null],
      ['fulfillment_deadline', parcel.id, 50],
      ['points_expire', `expiry/${ws}/${account}`, 70],
      ['earning_matures', `${ws}/${paid.id}`, 8],
      ['points_warning', `expiry/${ws}/${account}`, 400],
      ['points_expire', `expiry/${ws}/${account}`, 400],
      ['tier_review', `${ws}/${account}/tier`, null],
    ])
    expect(acts[1]).toMatchObject({ at: hold.expires_at, account, object_id: hold.id })
    expect(acts.map(({ at }) => at)).toEqual(acts.map(({ at }) => at).toSorted())
  })

  it('is read by pages of any size, forward and back, as one list', async () => {
    const { account } = await busyMember()
    const path = `/v1/loyalty/accounts/${account}/upcoming`
    const whole = (await read(path)).data
    for (const limit of [1, 2, 3]) expect(await readOn(path, limit)).toEqual(whole)
    const last = whole.at(-1)?.id
    expect((await read(`${path}?ending_before=${last}`)).data).toEqual(whole.slice(0, -1))
    const expiries = whole.filter(({ type }) => type === 'points_expire')
    expect((await read(`${path}?type=points_expire`)).data).toEqual(expiries)
  })

  it('is gone once it has happened, or will not any more', async () => {
    const { account, hold } = await busyMember()
    const before = await of(account)
    await shop.post(`/v1/loyalty/redemptions/${hold.id}/cancel`)
    const after = await of(account)
    expect(after.map(({ type }) => type)).toEqual(
      before.map(({ type }) => type).filter((type) => type !== 'redemption_release'),
    )
  })
})

describe('what comes in a workspace', () => {
  it('has everybody’s, their next expiry checks, and deliveries, by page', async () => {
    await shop.post('/v1/webhook_endpoints', {
      url: 'http://127.0.0.1:9/',
      enabled_events: ['loyalty.account.created'],
    })
    const { account, hold } = await busyMember()
    const whole = (await read('/v1/upcoming?limit=100')).data
    const types = new Set(whole.map(({ type }) => type))
    for (const type of ['redemption_release', 'expiry_check', 'webhook_attempt', 'tier_review']) {
      expect([...types]).toContain(type)
    }
    expect(whole.find(({ object_id }) => object_id === hold.id)).toMatchObject({ account })
    for (const limit of [1, 4]) expect(await readOn('/v1/upcoming', limit)).toEqual(whole)
    expect(whole.map(({ at }) => at)).toEqual(whole.map(({ at }) => at).toSorted())
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

type Entry = Record<string, unknown> & { id: string; type: string; at: string }

const member = async (more: object = {}): Promise<string> =>
  (await shop.post('/v1/loyalty/accounts', more)).body.id
const gift = async (account: string, amount: number): Promise<string> =>
  (await shop.post('/v1/loyalty/transactions', { account, amount, reason: 'gift' })).body.id
const redeem = async (account: string) =>
  (await shop.post('/v1/loyalty/redemptions', { account, reward: 'rwd_fivecredit' })).body
const read = async (account: string, query = ''): Promise<{ data: Entry[]; has_more: boolean }> => {
  const { status, body } = await shop.get(`/v1/loyalty/accounts/${account}/timeline${query}`)
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body
}
const types = (entries: Entry[]) => entries.map(({ type }) => type)
const ids = (entries: Entry[]) => entries.map(({ id }) => id)

/** Follows the cursors to the end. */
async function readOn(account: string, limit: number): Promise<Entry[]> {
  const all: Entry[] = []
  for (;;) {
    const last = all.at(-1)
    const { data, has_more } = await read(
      account,
      `?limit=${limit}${last === undefined ? '' : `&starting_after=${last.id}`}`,
    )
    all.push(...data)
    if (!has_more) return all
  }
}

/** A member of a program with tiers, to whom one of everything has happened. */
async function busyMember() {
  const tiers = [
    { name: 'Silver', rank: 1, threshold: 100, multiplier: 1 },
    { name: 'Gold', rank: 2, threshold: 5_000, multiplier: 1 },
  ]
  const program = (
    await shop.post('/v1/loyalty/programs', {
      name: 'Tiered',
      tierConfig: { qualifyOn: 'points', period: { type: 'lifetime' }, tiers },
    })
  ).body.id
  const target = await member({ program })
  const source = await member({ program })
  await gift(target, 150)
  await gift(source, 40)
  const device = await shop.post(`/v1/loyalty/accounts/${target}/identities`, { kind: 'device' })
  await shop.delete(`/v1/loyalty/identities/${device.body.id}`)
  await gift(source, -15)
  await shop.post('/v1/loyalty/accounts/merge', { source, target })
  return { source, target, device: device.body.id as string }
}

describe('a timeline', () => {
  it('is one list of what happened to a member and to what was merged into it, newest first', async () => {
    const { source, target, device } = await busyMember()
    const { data } = await read(target)
    expect(types(data)).toEqual([
      'merge',
      'transaction',
      'transaction',
      'transaction',
      'identity_revoked',
      'identity_registered',
      'transaction',
      'tier_change',
      'transaction',
    ])
    expect(data[0]).toMatchObject({
      merge: { source, into: target, balance: 25, lifetime_points: 40 },
    })
    expect(data[3]).toMatchObject({ transaction: { account: target, amount: -15 } })
    expect(data[4]).toMatchObject({ identity: { id: device } })
    expect(data[7]).toMatchObject({ tier_change: { to: 'Silver' } })
    const times = data.map(({ at }) => at)
    expect(times).toEqual([...times].sort((a, b) => (a < b ? 1 : a > b ? -1 : 0)))
    const before = await read(source)
    expect(types(before.data)).toEqual(['merge', 'transaction', 'transaction', 'transaction'])
  })

  it('shows a redemption as it is now, at the time it was made', async () => {
    const account = await member()
    await gift(account, 1_000)
    const redemption = await redeem(account)
    await shop.post(`/v1/loyalty/redemptions/${redemption.id}/cancel`)
    const { data } = await read(account)
    const entry = data.find(({ type }) => type === 'redemption')
    expect(entry).toMatchObject({
      at: redemption.created_at,
      redemption: { id: redemption.id, status: 'released' },
    })
    expect(types((await read(account, '?type=redemption')).data)).toEqual(['redemption'])
  })

  it('read by pages of any size, forward and back, is the whole, whatever is written meanwhile', async () => {
    const { target: account } = await busyMember()
    for (let i = 0; i < 4; i += 1) {
      await gift(account, 10 + i)
      await gift(account, -1)
    }
    const whole = (await read(account, '?limit=100')).data
    for (const limit of [1, 2, 3, 7]) expect(await readOn(account, limit)).toEqual(whole)
    const middle = whole[8]?.id
    const page = await read(account, `?limit=3&starting_after=${middle}`)
    await gift(account, 3)
    expect(await read(account, `?limit=3&starting_after=${middle}`)).toEqual(page)
    const back = await read(account, `?limit=100&ending_before=${whole.at(-1)?.id}`)
    expect(ids(back.data).slice(1)).toEqual(ids(whole.slice(0, -1)))
    for (const { id } of whole) {
      const [next] = (await read(account, `?limit=1&starting_after=${id}`)).data
      const [same] =
        next === undefined ? [] : (await read(account, `?limit=1&ending_before=${next.id}`)).data
      expect(same?.id).toBe(next === undefined ? undefined : id)
    }
  })

  it('of mixed kinds in one microsecond misses and repeats none at the cursor', async () => {
    const account = await member()
    await gift(account, 2_000)
    const redemption = await redeem(account)
    await shop.owner.query(
      `update redemption set created_at = 'epoch'::timestamptz
         + ('x' || substr(transaction, 5, 13))::bit(52)::bigint * interval '1 microsecond' where id = $1`,
      [redemption.id],
    )
    const whole = (await read(account)).data
    expect(types(whole).slice(0, 2)).toEqual(['redemption', 'transaction'])
    expect(await readOn(account, 1)).toEqual(whole)
    const last = whole.at(-1)?.id
    expect(ids((await read(account, `?ending_before=${last}`)).data)).toEqual(
      ids(whole.slice(0, -1)),
    )
    const second = whole[1]?.id
    expect(ids((await read(account, `?ending_before=${second}`)).data)).toEqual([whole[0]?.id])
  })

  it('refuses a cursor that is no entry, and 404s a member that is none', async () => {
    const account = await member()
    const refused = await shop.get(
      `/v1/loyalty/accounts/${account}/timeline?starting_after=ptx_7Qd3`,
    )
    expect([refused.status, refused.body.error.param]).toEqual([400, 'starting_after'])
    expect((await shop.get('/v1/loyalty/accounts/loy_nobody/timeline')).status).toBe(404)
  })
})

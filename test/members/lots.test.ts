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

type Row = Record<string, unknown> & { id: string }

const member = async (): Promise<string> => (await shop.post('/v1/loyalty/accounts')).body.id
const move = async (account: string, amount: number): Promise<string> => {
  const sent = { account, amount, reason: amount > 0 ? 'gift' : 'spent' }
  return (await shop.post('/v1/loyalty/transactions', sent)).body.id
}
const list = async (path: string): Promise<Row[]> => {
  const { status, body } = await shop.get(path)
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body.data
}
const lots = (account: string, query = '') => list(`/v1/loyalty/accounts/${account}/lots${query}`)
const allocations = (of: string, query = '') =>
  list(`/v1/loyalty/transactions/${of}/allocations${query}`)
const numbers = (rows: Row[]) => rows.map(({ points, remaining }) => [points, remaining])

describe('lots', () => {
  it('say what is left of each credit and which debit took the rest, newest first', async () => {
    const account = await member()
    const first = await move(account, 100)
    const second = await move(account, 50)
    const debit = await move(account, -120)
    const [newer, older] = await lots(account)
    expect([newer?.id, newer?.points, newer?.remaining]).toEqual([second, 50, 30])
    expect([older?.id, older?.points, older?.remaining]).toEqual([first, 100, 0])
    expect(older).toMatchObject({
      account,
      expires_at: null,
      earned_by: { transaction: first, type: 'adjust', reason: 'gift' },
      spent_by: [{ transaction: debit, type: 'adjust', redemption: null, points: 100 }],
    })
    expect(newer?.spent_by).toMatchObject([{ transaction: debit, points: 20 }])
    expect(numbers(await lots(account, '?open=true'))).toEqual([[50, 30]])
  })

  it('leave out a redemption that gave all back, and name the one that did not', async () => {
    const account = await member()
    const credit = await move(account, 2_000)
    const redeem = async () =>
      (await shop.post('/v1/loyalty/redemptions', { account, reward: 'rwd_fivecredit' })).body
    const kept = await redeem()
    const canceled = await redeem()
    await shop.post(`/v1/loyalty/redemptions/${canceled.id}/cancel`)
    const [lot] = await lots(account)
    expect(lot).toMatchObject({
      id: credit,
      remaining: 2_000 - kept.points,
      spent_by: [{ transaction: kept.transaction, redemption: kept.id, points: kept.points }],
    })
    const taken = await allocations(canceled.transaction)
    const sizes = taken.map(({ points }) => Number(points)).toSorted((a, b) => a - b)
    expect(sizes).toEqual([-kept.points, kept.points])
    const returned = taken.find(({ points }) => Number(points) < 0)
    expect(await allocations(String(returned?.cause))).toEqual([returned])
  })

  it('of a merged account are the survivor’s, and are still listed of the credits that it had', async () => {
    const [source, target] = [await member(), await member()]
    const theirs = await move(source, 70)
    const own = await move(target, 30)
    await move(source, -20)
    await shop.post('/v1/loyalty/accounts/merge', { source, target })
    const found = await lots(target)
    expect(found.map(({ id }) => id)).toEqual([own, theirs])
    expect(found.map(({ account }) => account)).toEqual([target, target])
    expect(numbers(found)).toEqual([
      [30, 30],
      [70, 50],
    ])
    expect(numbers(await lots(target, '?open=true'))).toEqual(numbers(found))
  })

  it('are read on by cursors, forward and back, as one list', async () => {
    const account = await member()
    const made: string[] = []
    for (let i = 1; i <= 5; i += 1) {
      made.unshift(await move(account, i))
      await move(account, -1)
    }
    const first = await lots(account, '?limit=2')
    const second = await lots(account, `?limit=2&starting_after=${first[1]?.id}`)
    const third = await lots(account, `?limit=2&starting_after=${second[1]?.id}`)
    expect([...first, ...second, ...third].map(({ id }) => id)).toEqual(made)
    expect(await lots(account, `?limit=2&ending_before=${third[0]?.id}`)).toEqual(second)
  })

  it('count nothing that is due, before anything has written it off', async () => {
    const account = await member()
    const soon = new Date(Date.now() + 60_000).toISOString()
    const id = await move(account, 40)
    await shop.owner.query('update lot set expires_at = $2 where id = $1', [id, soon])
    expect((await lots(account))[0]).toMatchObject({ remaining: 40, expires_at: soon })
    await shop.owner.query(`update lot set expires_at = now() - interval '1 s' where id = $1`, [id])
    expect((await lots(account))[0]).toMatchObject({ points: 40, remaining: 0 })
    await shop.owner.query('update lot set expires_at = null where id = $1', [id])
  })
})

describe('allocations', () => {
  it('of a credit are those of its lot, and of a debit those of all lots, by page', async () => {
    const account = await member()
    const credits = [await move(account, 10), await move(account, 10), await move(account, 10)]
    const [small, large] = [await move(account, -5), await move(account, -22)]
    const ofLarge = await allocations(large)
    expect(ofLarge.map(({ lot, points }) => [lot, points])).toEqual([
      [credits[2], 7],
      [credits[1], 10],
      [credits[0], 5],
    ])
    expect((await allocations(String(credits[0]))).map(({ debit }) => debit)).toEqual([
      large,
      small,
    ])
    const [first] = await allocations(large, '?limit=1')
    const rest = await allocations(large, `?limit=2&starting_after=${first?.id}`)
    expect(rest).toEqual(ofLarge.slice(1))
    expect(await allocations(large, `?limit=1&ending_before=${rest[0]?.id}`)).toEqual([first])
  })

  it('of a credit that filled a deficit name the debit that had caused it', async () => {
    const account = await member()
    await move(account, 10)
    const type = { name: 'LOTS_TAKE', schema: { type: 'object' } }
    await shop.post('/v1/event_types', type)
    await shop.post('/v1/reactors', {
      name: 'Takes',
      trigger: 'LOTS_TAKE',
      reactions: [{ type: 'adjust_points', points: -25 }],
    })
    await shop.post('/v1/events', { type: 'LOTS_TAKE', user: account })
    const credit = await move(account, 40)
    const [filled] = await allocations(credit)
    expect(filled).toMatchObject({ lot: credit, cause: credit, points: 15 })
    expect(filled?.debit).not.toBe(credit)
    expect((await lots(account, '?open=true'))[0]).toMatchObject({ id: credit, remaining: 25 })
  })

  it('refuse a cursor that is none', async () => {
    const id = await move(await member(), 1)
    const path = `/v1/loyalty/transactions/${id}/allocations?starting_after=${id}`
    const { status, body } = await shop.get(path)
    expect([status, body.error.param]).toEqual([400, 'starting_after'])
  })
})

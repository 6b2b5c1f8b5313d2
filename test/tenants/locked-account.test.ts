import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Client } from '../../db/pool.ts'
import { openShop, type Shop } from '../api/shop.ts'

const HOT = 'loy_9f2k'
const MANY = 24 // more than the pool has connections

let shop: Shop
let stranger: string
let locked: Client | undefined

beforeAll(async () => {
  shop = await openShop({ worker: false })
  stranger = await shop.stranger()
})
afterEach(unlock)
afterAll(() => shop.close())

/** As a merge of very many lots holds it. */
async function lock(): Promise<void> {
  locked = await shop.owner.connect()
  await locked.query('begin')
  await locked.query('select pg_advisory_xact_lock(hashtextextended($1 || $2, 0))', [
    shop.workspace,
    HOT,
  ])
}

async function unlock(): Promise<void> {
  await locked?.query('rollback')
  locked?.release()
  locked = undefined
}

const grant = (account: string, key?: string) =>
  shop.post('/v1/loyalty/transactions', { account, amount: 1, reason: 'test' }, { key })

const balanceOf = async (account: string, key?: string): Promise<number> =>
  (await shop.get(`/v1/loyalty/accounts/${account}`, key)).body.balance

describe('while an account is locked', () => {
  it('those who wait for it keep neither another tenant nor another account waiting', async () => {
    const theirs = (await shop.post('/v1/loyalty/accounts', {}, { key: stranger })).body.id
    const before = await balanceOf(HOT)
    await lock()
    const waiting = Array.from({ length: MANY }, () => grant(HOT).then(({ status }) => status))
    await expect.poll(waitersInPostgres, { timeout: 30_000 }).toBe(3)
    const others = await Promise.all([
      grant(theirs, stranger),
      grant('loy_8sd2k1'),
      shop.get(`/v1/loyalty/accounts/${theirs}`, stranger),
      shop.get(`/v1/loyalty/accounts/${HOT}`),
    ])
    expect(others.map(({ status }) => status)).toEqual([201, 201, 200, 200])

    await unlock()
    const answers = await Promise.all(waiting)
    // on a machine so busy that the first gave up before the lock was given back, those say so
    expect(answers.filter((status) => status !== 201 && status !== 503)).toEqual([])
    const written = answers.filter((status) => status === 201).length
    expect(written).toBeGreaterThan(0)
    expect(await balanceOf(HOT)).toBe(before + written)
    expect(await shop.reconcile()).toEqual([])
  })

  it('one that waits longer than 5 s is told that nothing was written, and nothing was', async () => {
    const before = await balanceOf(HOT)
    await lock()
    const { status, body, headers } = await grant(HOT)
    expect([status, body.error.code]).toEqual([503, 'temporarily_unavailable'])
    expect(body.error.message).toContain('Nothing was written')
    expect(headers['retry-after']).toBe('1')
    await unlock()
    expect(await balanceOf(HOT)).toBe(before)
  })
})

async function waitersInPostgres(): Promise<number> {
  const { rows } = await shop.owner.query(
    `select count(*)::int as n from pg_locks l join pg_database d on d.oid = l.database
     where l.locktype = 'advisory' and not l.granted and d.datname = current_database()`,
  )
  return rows[0].n
}

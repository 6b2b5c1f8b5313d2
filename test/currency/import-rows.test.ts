import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accountExpire } from '../../db/ledger.gen.ts'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop

beforeAll(async () => {
  shop = await openShop()
})
afterAll(async () => {
  const broken = await shop.reconcile()
  await shop.close()
  expect(broken).toEqual([])
})

const DAY_MS = 86_400_000
const LATER = new Date(Date.now() + 40 * DAY_MS).toISOString()
const SOONER = new Date(Date.now() + 10 * DAY_MS).toISOString()

type Row = { amount: number; expires_at?: string; metadata?: Record<string, string> }

const program = async (more: object) =>
  (await shop.post('/v1/loyalty/programs', { name: 'Rows', ...more })).body.id as string
const member = async (inProgram: string) =>
  (await shop.post('/v1/loyalty/accounts', { program: inProgram })).body.id as string

const postOne = async (account: string, row: Row) => {
  const answer = await shop.post('/v1/loyalty/transactions', { account, reason: 'import', ...row })
  if (answer.status !== 201) expect(answer.body.error.code).toBe('insufficient_points')
}
const importAll = async (rows: object[]) => {
  const { status, body } = await request(shop.app)
    .post('/v1/loyalty/imports')
    .set('X-Api-Key', shop.keys.secretKey)
    .set('Content-Type', 'application/x-ndjson')
    .send(rows.map((row) => JSON.stringify(row)).join('\n'))
  expect([status, body.error]).toEqual([201, undefined])
  const path = `/v1/loyalty/imports/${body.id}`
  await expect
    .poll(async () => (await shop.get(path)).body.status, { timeout: 60_000 })
    .toBe('completed')
  return (await shop.get(path)).body
}

/** All that a ledger says of an account, without what differs by its nature: ids, times, tags. */
async function bookOf(account: string) {
  const read = async (text: string) => (await shop.owner.query(text, [account])).rows
  const [own] = await read(
    `select balance, lifetime_points, tier, lots_due_from::date, activity_extends_to,
       expiry_wake_at::date, status from account where id = $1`,
  )
  return {
    own,
    rows: await read(
      `select type, amount, balance_after, reason, program, expires_at, metadata - 'import_key' as metadata
       from ptx where account = $1 order by id`,
    ),
    lots: await read(
      'select points, remaining, open, expires_at, extends_with_activity from lot where account = $1 order by id',
    ),
    events: await read(
      `select e.type, count(d.id)::int as deliveries from event e
       left join webhook_delivery d on d.event = e.id
       where e.object in (select id from ptx where account = $1) group by e.id, e.type order by e.id`,
    ),
    allocations: await read(
      `select amount from allocation where debit in (select id from ptx where account = $1) order by debit, lot`,
    ),
    tiers: (await read('select to_tier from tier_change where account = $1 order by id')).at(-1),
  }
}

const tierConfig = {
  qualifyOn: 'points',
  tiers: [
    { name: 'bronze', rank: 1, threshold: 0 },
    { name: 'silver', rank: 2, threshold: 50 },
    { name: 'gold', rank: 3, threshold: 500 },
  ],
}
const CREDITS: Row[] = [{ amount: 30 }, { amount: 25, metadata: { note: 'x' } }, { amount: 600 }]

describe('the rows of an import are what single postings would have been', () => {
  beforeAll(async () => {
    await shop.post('/v1/webhook_endpoints', { url: 'http://127.0.0.1:9/', enabled_events: ['*'] })
  })

  it.each<[string, object, Row[], Row[]]>([
    ['credits of a program whose points never expire', {}, [], CREDITS],
    [
      'credits with dates of their own',
      {},
      [],
      [
        { amount: 5, expires_at: LATER },
        { amount: 6, expires_at: SOONER },
      ],
    ],
    [
      'credits that expire by their program, with warnings',
      { expiry: { mode: 'rolling', months: 12, warnDaysBefore: 30 } },
      [],
      [...CREDITS, { amount: 5, expires_at: SOONER }],
    ],
    [
      'credits that extend with activity',
      { expiry: { mode: 'rolling', months: 12, resetOnActivity: true } },
      [{ amount: 1 }],
      CREDITS,
    ],
    ['credits that reach a tier', { tierConfig }, [], CREDITS],
    [
      'credits and debits in turn',
      {},
      [{ amount: 7 }],
      [{ amount: 10 }, { amount: -12 }, { amount: 3 }, { amount: -8 }],
    ],
    [
      'a debit that overdraws between credits',
      {},
      [],
      [{ amount: 10 }, { amount: -11 }, { amount: 3 }],
    ],
    [
      'credits to fractions of a point',
      { currency: { decimals: 2 } },
      [],
      [{ amount: 1.25 }, { amount: 0.01 }],
    ],
  ])('%s', async (_, settings, before, rows) => {
    const inProgram = await program(settings)
    const [single, imported] = [await member(inProgram), await member(inProgram)]
    for (const row of before) for (const account of [single, imported]) await postOne(account, row)
    for (const row of rows) await postOne(single, row)
    await importAll(rows.map((row, i) => ({ account: imported, key: String(i), ...row })))
    // a warning that is due is given by a run of the one and by the minute's batch of the other
    for (const account of [single, imported]) {
      await accountExpire(shop.pool, { workspace: shop.workspace, account, at: new Date() })
    }
    expect(await bookOf(imported)).toEqual(await bookOf(single))
  })

  it('a credit to an account in deficit fills it', async () => {
    const inProgram = await program({ clawback: { allow_negative: true } })
    const accounts = [await member(inProgram), await member(inProgram)]
    for (const account of accounts) {
      const { body } = await shop.post('/v1/loyalty/transactions', {
        account,
        amount: 9,
        reason: 'x',
      })
      await postOne(account, { amount: -9 })
      await shop.post(`/v1/loyalty/transactions/${body.id}/reverse`)
    }
    const [single = '', imported = ''] = accounts
    await postOne(single, { amount: 20 })
    await importAll([{ account: imported, amount: 20 }])
    expect((await bookOf(imported)).own.balance).toBe(11)
    expect(await bookOf(imported)).toEqual(await bookOf(single))
  })

  it('a credit to an account with points past their date writes those off first', async () => {
    const inProgram = await program({})
    const accounts = [await member(inProgram), await member(inProgram)]
    const past = new Date(Date.now() - 3_600_000)
    for (const account of accounts) {
      await postOne(account, { amount: 9, expires_at: LATER })
      await shop.owner.query('update lot set expires_at = $2 where account = $1', [account, past])
      await shop.owner.query(
        'update account set lots_due_from = $2, expiry_wake_at = $2 where id = $1',
        [account, past],
      )
    }
    const [single = '', imported = ''] = accounts
    await postOne(single, { amount: 20 })
    await importAll([{ account: imported, amount: 20 }])
    expect((await bookOf(imported)).rows.map(({ type }) => type)).toEqual([
      'adjust',
      'expire',
      'adjust',
    ])
    expect(await bookOf(imported)).toEqual(await bookOf(single))
  })

  it('a merged account’s go to its survivor', async () => {
    const inProgram = await program({})
    const [source, target] = [await member(inProgram), await member(inProgram)]
    await shop.post('/v1/loyalty/accounts/merge', { source, target })
    expect(await importAll([{ account: source, amount: 20 }])).toMatchObject({ posted: 1 })
    expect((await bookOf(target)).own.balance).toBe(20)
  })
})

it('an account closed after the check has its rows refused by their lines, and the others are written', async () => {
  const inProgram = await program({})
  const [open, closing] = [await member(inProgram), await member(inProgram)]
  const lock = await shop.owner.connect()
  await lock.query('select pg_advisory_lock(hashtextextended($1, 0))', [shop.workspace + closing])
  const done = importAll([
    { account: open, amount: 1 },
    { account: closing, amount: 2 },
    { account: open, amount: 3 },
  ])
  const waits = `select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted
    and database = (select oid from pg_database where datname = current_database())`
  await expect
    .poll(async () => (await shop.owner.query(waits)).rows[0].n, { timeout: 20_000 })
    .toBe(1)
  await shop.owner.query(`update account set status = 'closed' where id = $1`, [closing])
  await lock.query('select pg_advisory_unlock_all()')
  lock.release()
  expect(await done).toMatchObject({
    posted: 2,
    refused: 1,
    refusals: [{ line: 2, code: 'account_closed' }],
  })
  expect((await bookOf(open)).own.balance).toBe(4)
})

it('a row beyond what any balance can hold is refused by its line, and the run ends', async () => {
  const account = await member(await program({ currency: { decimals: 4 } }))
  const rows = Array.from({ length: 9_010 }, (_, i) => ({
    account,
    amount: 100_000_000,
    key: String(i),
  }))
  expect(await importAll(rows)).toMatchObject({
    posted: 9_007,
    refused: 3,
    refusals: [9_008, 9_009, 9_010].map((line) => ({ line, code: 'parameter_invalid' })),
  })
})

it('one account’s rows are written in the order of their lines, across all chunks', async () => {
  const inProgram = await program({})
  const accounts = await Promise.all(Array.from({ length: 4 }, () => member(inProgram)))
  const rows = Array.from({ length: 6_000 }, (_, i) => ({
    account: accounts[(i >> 1) % 4],
    amount: i % 2 ? -7 : 7, // spends at once what the line before brought
    key: String(i),
  }))
  expect(await importAll(rows)).toMatchObject({ posted: 6_000, refused: 0 })
})

import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findNamed } from '../../db/search.ts'
import { inWorkspace } from '../../db/workspace-client.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'

const ROWS = 100_000
const LARGE = ['account', 'gift_code', 'inbox', 'member_identity', 'payment', 'redemption']

let db: TestDatabase
beforeAll(async () => {
  db = await testDatabase()
  const many = (statement: string) => db.owner.query(statement, [ROWS])
  await db.owner.query(`insert into workspace (id, name) values ('ws_large', 'Large')`)
  await db.owner.query(
    `insert into program (workspace, id, name) values ('ws_large', 'prog', 'Large')`,
  )
  await many(`insert into account (workspace, id, program, customer)
    select 'ws_large', 'loy_' || n, 'prog', 'cust_' || n from generate_series(1, $1::int) n`)
  await many(`insert into member_identity (workspace, id, account, kind, value)
    select 'ws_large', 'idn_' || n, 'loy_' || n, 'external_id', 'card-' || n
    from generate_series(1, $1::int) n`)
  await many(`insert into payment (workspace, id, provider, status, amount, amount_charged, currency,
      customer, invoice, metadata, created_at)
    select 'ws_large', 'pi_' || n, 'stripe', 'completed', 100, 100, 'eur', 'cust_' || n, 'in_' || n,
      jsonb_build_object('order_id', n), now() from generate_series(1, $1::int) n`)
  await many(`insert into inbox (workspace, id, provider, type, payment, payload, received_at)
    select 'ws_large', 'event-' || n, 'stripe', 'paid', 'pi_' || n, '{}', now()
    from generate_series(1, $1::int) n`)
  await many(`insert into redemption (workspace, id, account, reward, program, status, points, quantity,
      code, fingerprint, created_at)
    select 'ws_large', 'rdm_' || n, 'loy_' || n, 'rwd', 'prog', 'released', 0, 1, 'CODE-' || n, '', now()
    from generate_series(1, $1::int) n`)
  await many(`insert into gift_code (workspace, id, hash, sealed, last4, status, redemption)
    select 'ws_large', 'gcc_' || n, n, '', lpad((n % 10000)::text, 4, '0'), 'given', 'rdm_' || n
    from generate_series(1, $1::int) n`)
  await db.owner.query(`analyze ${LARGE.join(', ')}`)
}, 120_000)
afterAll(() => db.drop())

/** How often each large table has been read from end to end. */
async function scans(): Promise<unknown[]> {
  await db.reads.query('select pg_stat_force_next_flush()')
  const { rows } = await db.owner.query(
    'select relname, seq_scan from pg_stat_user_tables where relname = any ($1) order by 1',
    [LARGE],
  )
  return rows
}

test.each([
  ['loy_777', ['loyalty_account id']],
  ['cust_777', ['loyalty_account customer', 'payment customer']],
  ['card-777', ['loyalty_account external_id']],
  ['pi_777', ['payment id']],
  ['in_777', ['payment invoice']],
  ['777', ['payment order_number']],
  ['event-777', ['payment provider_event']],
  ['code-777', ['redemption code']],
  // an order number and the last four of ten gift cards, of which the newest five are shown
  ['1234', ['payment order_number', ...Array.from({ length: 5 }, () => 'redemption last4')]],
  ['nothing', []],
])(
  'a search for %s among 100,000 of each kind reads no table from end to end',
  async (term, found) => {
    const before = await scans()
    const hits = await findNamed(db.reads, 'ws_large', term, () => true)
    expect(hits.map(({ object, matched }) => `${object} ${matched}`)).toEqual(found)
    expect(await scans()).toEqual(before)
  },
)

test('a look that no index can answer is noticed as such', async () => {
  const before = await scans()
  await inWorkspace(db.reads, 'ws_large', (tx) =>
    tx.execute(sql`select id from payment where metadata ->> 'order_id' = '777'`),
  )
  expect(await scans()).not.toEqual(before)
})

test('a search for an order that another workspace has finds nothing', async () => {
  expect(await findNamed(db.reads, 'ws_other', '777', () => true)).toEqual([])
})

test('a search among 100,000 of each kind takes milliseconds', async () => {
  const took: number[] = []
  for (let n = 1; n <= 100; n++) {
    const begun = performance.now()
    await findNamed(db.reads, 'ws_large', `cust_${n}`, () => true)
    took.push(performance.now() - begun)
  }
  took.sort((one, other) => one - other)
  expect(took[50]).toBeLessThan(50)
})

import type { PoolClient } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { takeInPaymentEvent } from '../../../app/payments.ts'
import { seedWorkspace } from '../../../dev/demo.ts'
import { newId } from '../../../domain/ids.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'

const workspace = newId('ws')
let db: TestDatabase

beforeAll(async () => {
  db = await testDatabase()
  await seedWorkspace(db.pool, workspace, 'A large shop')
  await db.owner.query(
    `insert into account (workspace, id, program, customer, expiry_wake_at, tier_review_at)
     select $1, 'loy_many' || n, 'prog_default', 'cust_' || n, now() + n * interval '1 min',
       now() + n * interval '1 min'
     from generate_series(1, 5000) n`,
    [workspace],
  )
  await db.owner.query(
    `insert into redemption (workspace, id, account, program, reward, status, points, quantity, transaction,
       expires_at, fingerprint, created_at)
     select $1, 'rdm_many' || n, 'loy_many' || n, 'prog_default', 'rwd_5eur_off', 'pending', 5, 1, 'ptx_' || n,
       now() + n * interval '1 min', '', now()
     from generate_series(1, 5000) n`,
    [workspace],
  )
  await db.owner.query('analyze')
})
afterAll(() => db.drop())

/** How often what `run` does on its connection reads a whole table of accounts or redemptions. */
async function scansOf(run: (client: PoolClient) => Promise<unknown>) {
  const client = await db.pool.connect()
  try {
    await client.query('begin')
    await run(client)
    const { rows } = await client.query<{ scans: number }>(
      `select pg_stat_get_xact_numscans('account'::regclass)::int
         + pg_stat_get_xact_numscans('redemption'::regclass)::int as scans`,
    )
    await client.query('rollback')
    return rows[0]?.scans
  } finally {
    client.release()
  }
}

const completed = (payment: string) => ({
  workspace,
  provider: 'sandbox',
  endpoint: 'whs_test',
  content: [],
  event: newId('evt'),
  type: 'payment.completed',
  payload: {},
  at: new Date().toISOString(),
  status: 'completed' as const,
  payment: { id: payment, amount: 100, currency: 'eur', customer: 'cust_77', refs: [] },
  more: { subject: payment, refunds: [] },
})

test('a payment finds its members, and its explanation does, by an index', async () => {
  const payment = newId('pay')
  expect(await scansOf((client) => takeInPaymentEvent(client, completed(payment)))).toBe(0)
  await takeInPaymentEvent(db.pool, completed(payment))
  const asks = [
    ['select ledger.payment_earnings($1, $2)', [workspace, payment]],
    [`select ledger.earning_preview($1, null, $2, 100, 'eur', '{}', null)`, [workspace, 'cust_77']],
  ] as const
  for (const [text, values] of asks) {
    expect([text, await scansOf((client) => client.query(text, [...values]))]).toEqual([text, 0])
  }
})

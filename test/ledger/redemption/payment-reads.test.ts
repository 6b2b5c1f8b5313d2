import { afterAll, beforeAll, expect, test } from 'vitest'
import { redemptionCommands } from '../../../app/redemptions.ts'
import { seedWorkspace } from '../../../dev/demo.ts'
import { newId } from '../../../domain/ids.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'

const OTHERS = 3_000
const workspace = newId('ws')
let db: TestDatabase

beforeAll(async () => {
  db = await testDatabase()
  await seedWorkspace(db.pool, workspace, 'Test shop')
})
afterAll(() => db.drop())

async function redeem(): Promise<string> {
  const redemption = newId('rdm')
  const { outcome } = await redemptionCommands({ pool: db.pool }).createRedemption({
    workspace,
    redemption,
    account: 'loy_8sd2k1',
    reward: 'rwd_fivecredit',
    quantity: 1,
    holdMinutes: 30,
    code: newId('op'),
    fingerprint: 'test',
    shipping: null,
    metadata: {},
  })
  expect(outcome).toBe('created')
  return redemption
}

/** So many more rows, as this one with its payment gone by. */
const multiply = (redemption: string) =>
  db.owner.query(
    `insert into redemption select x.* from redemption r, generate_series(1, ${OTHERS}) n,
       jsonb_populate_record(null::redemption, to_jsonb(r) || jsonb_build_object(
         'id', r.id || n, 'code', r.code || n, 'payment', 'pay_' || n, 'status', 'applied')) x
     where r.id = $1`,
    [redemption],
  )

/** Rows of redemptions that a payment of this one reads, from its creation until it is applied. */
async function readBy(redemption: string): Promise<number> {
  const client = await db.pool.connect()
  try {
    await client.query('begin')
    const { rows: paid } = await client.query(
      `select payment_create($1, $2, 'test', null, 'test', 2999, 'eur', null, '{}', $3, 'completed',
         false, $4, now(), null) ->> 'outcome' as outcome`,
      [workspace, newId('pay'), JSON.stringify([{ redemption }]), newId('evt')],
    )
    expect(paid).toEqual([{ outcome: 'created' }])
    const { rows } = await client.query(
      `select (seq_tup_read + idx_tup_fetch)::int as read from pg_stat_xact_user_tables
       where relname = 'redemption'`,
    )
    await client.query('commit')
    return rows[0].read
  } finally {
    client.release()
  }
}

test('a payment reads its own redemption, however many there are, and whether they were counted or not', async () => {
  await multiply(await redeem())
  expect(await readBy(await redeem())).toBeLessThan(30)
  await db.owner.query('analyze redemption')
  expect(await readBy(await redeem())).toBeLessThan(30)
})

import { setTimeout as sleep } from 'node:timers/promises'
import { COST } from '../ledger.ts'
import { HOLD_MS } from './environment.ts'
import { serve } from './front.ts'
import { createTables, pool } from './ledger.ts'

/** No engine: a row that says when the points are due back, and a look each second for what is. */

const SWEEP_EVERY_MS = 1_000 // a release may be late by as much
const SWEEP_BATCH = 500 // keeps a sweep short, and with it the locks on members' rows

const HOLD_TABLE = `
  CREATE TABLE hold (
    redemption text PRIMARY KEY, account text NOT NULL, release_at timestamptz NOT NULL
  );
  CREATE INDEX hold_due ON hold (release_at);
`

const DEBIT_AND_HOLD = {
  name: 'debit-and-hold',
  text: `
    WITH debited AS (
      UPDATE account SET balance = balance - $3 WHERE id = $2 AND balance >= $3 RETURNING id
    ),
    held AS (
      INSERT INTO hold (redemption, account, release_at)
      SELECT $1, id, now() + make_interval(secs => $4) FROM debited
    )
    INSERT INTO movement (redemption, type, account, amount)
    SELECT $1, 'redeem', id, -$3::bigint FROM debited`,
}

const SWEEP = {
  name: 'sweep',
  text: `
    WITH due AS (
      DELETE FROM hold WHERE redemption IN (
        SELECT redemption FROM hold WHERE release_at <= now()
        ORDER BY release_at LIMIT ${SWEEP_BATCH} FOR UPDATE SKIP LOCKED
      )
      RETURNING redemption
    ),
    released AS (
      INSERT INTO movement (redemption, type, account, amount)
      SELECT redemption, 'release', account, -amount FROM movement JOIN due USING (redemption)
      WHERE type = 'redeem'
      RETURNING account, amount
    ),
    owed AS (SELECT account, sum(amount)::bigint AS amount FROM released GROUP BY account)
    UPDATE account SET balance = balance + owed.amount FROM owed WHERE account.id = owed.account`,
}

async function create(redemption: string, account: string): Promise<boolean> {
  const values = [redemption, account, COST, HOLD_MS / 1_000]
  const result = await pool.query({ ...DEBIT_AND_HOLD, values })
  return result.rowCount === 1
}

async function sweepForever(): Promise<never> {
  while (true) {
    await pool.query(SWEEP)
    await sleep(SWEEP_EVERY_MS)
  }
}

await createTables(HOLD_TABLE)
serve({ create })
await sweepForever()

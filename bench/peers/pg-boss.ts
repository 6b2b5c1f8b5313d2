import { PgBoss } from 'pg-boss'
import { COST, DEBIT, POOL_SIZE } from '../ledger.ts'
import { HOLD_MS, required } from './environment.ts'
import { serve } from './front.ts'
import { createTables, pool, release } from './ledger.ts'

/** Debit and delayed job in one transaction, by pg-boss' own `db` option. */

interface Release {
  redemption: string
}

const QUEUE = 'release'

const boss = new PgBoss({ connectionString: required('DATABASE_URL'), max: POOL_SIZE })
boss.on('error', (error) => process.stderr.write(`${error.message}\n`))

async function create(redemption: string, account: string): Promise<boolean> {
  const client = await pool.connect()
  const db = { executeSql: (text: string, values?: unknown[]) => client.query(text, values) }
  try {
    await client.query('BEGIN')
    const debited = await client.query({ ...DEBIT, values: [redemption, account, COST] })
    const held = debited.rowCount === 1
    if (held) await boss.send(QUEUE, { redemption }, { startAfter: HOLD_MS / 1_000, db })
    await client.query('COMMIT')
    return held
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}

await createTables()
await boss.start()
await boss.createQueue(QUEUE)
await boss.work<Release>(QUEUE, async (jobs) => {
  for (const job of jobs) await release(job.data.redemption)
})
serve({ create })

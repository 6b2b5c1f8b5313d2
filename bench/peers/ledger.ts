import { Pool } from 'pg'
import { APPLY, COST, DEBIT, LEDGER_SCHEMA, POOL_SIZE, RELEASE } from '../ledger.ts'
import { required } from './environment.ts'

export const pool = new Pool({ connectionString: required('DATABASE_URL'), max: POOL_SIZE })

export async function createTables(more = ''): Promise<void> {
  await pool.query(LEDGER_SCHEMA + more)
}

/** False when the balance is short. */
export async function debit(redemption: string, account: string): Promise<boolean> {
  const result = await pool.query({ ...DEBIT, values: [redemption, account, COST] })
  return result.rowCount === 1
}

/** Gives the points back; a repeat changes nothing. */
export async function release(redemption: string): Promise<void> {
  await pool.query({ ...RELEASE, values: [redemption] })
}

/** Records the payment's use; a repeat changes nothing. */
export async function apply(redemption: string): Promise<void> {
  await pool.query({ ...APPLY, values: [redemption] })
}

import { sql } from 'drizzle-orm'
import type { Moment } from '../domain/moment.ts'
import type { Pool } from './pool.ts'
import { inWorkspace } from './workspace-client.ts'

/** The database's time, by which everything is dated. Also the cheapest question to ask it. */
export async function databaseNow(pool: Pool): Promise<Date> {
  const { rows } = await pool.query<{ now: Date }>({
    name: 'database_now',
    text: 'select clock_timestamp() as now',
  })
  const row = rows[0]
  if (row === undefined) throw new Error('clock_timestamp() returned no row')
  return row.now
}

/** Whether the migrations ran here: the table of the functions they apply holds some. */
export async function isMigrated(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ found: boolean }>(
    'select exists (select from applied_function_file) as found',
  )
  return rows[0]?.found === true
}

type Where = { pool: Pool; workspace: string; program?: string; account?: string }

/** The instant, or the first one of the day in the program's zone (else the account's, else prog_default's). */
export const readStartOf = (where: Where, moment: Moment): Promise<Date> => edge(where, moment, 0)

/** The instant, or the midnight that ends the day, in the same zone. */
export const readEndOf = (where: Where, moment: Moment): Promise<Date> => edge(where, moment, 1)

async function edge(
  { pool, workspace, program = '', account = '' }: Where,
  moment: Moment,
  later: 0 | 1,
): Promise<Date> {
  if (moment instanceof Date) return moment
  return inWorkspace(pool, workspace, async (db) => {
    const { rows } = await db.execute<{ at: Date }>(
      sql`select ledger.local_midnight(${moment.day}::date + ${later}::int,
        ledger.day_zone(${workspace}, ${program}, ${account})) as at`,
    )
    const [row] = rows
    if (row === undefined) throw new Error('local_midnight() returned no row')
    return new Date(row.at)
  })
}

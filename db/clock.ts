import type { Pool } from './pool.ts'

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

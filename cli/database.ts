import { createPool, type Pool } from '../db/pool.ts'

/** Runs `task` with a pool of one connection, named after the command in `pg_stat_activity`, and closes it. */
export async function withPool<Result>(
  command: string,
  url: string,
  task: (pool: Pool) => Promise<Result>,
): Promise<Result> {
  const pool = createPool({ url, max: 1, applicationName: `vinr-${command}` })
  try {
    return await task(pool)
  } finally {
    await pool.end()
  }
}

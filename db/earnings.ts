import { sql } from 'drizzle-orm'
import type { Pool } from './pool.ts'
import { inWorkspace } from './workspace-client.ts'

/** What these accounts have earned and cannot spend yet, in the smallest unit; accounts without any are left out. */
export const readPending = (
  pool: Pool,
  workspace: string,
  ids: string[],
): Promise<Map<string, number>> =>
  inWorkspace(pool, workspace, async (db) => {
    if (ids.length === 0) return new Map<string, number>()
    const { rows } = await db.execute<{ id: string; points: string }>(
      sql`select a.id, ledger.account_pending(a.workspace, a.id) as points from account a
        where a.workspace = ${workspace} and a.id in ${ids}`,
    )
    return new Map(
      rows
        .filter(({ points }) => Number(points) !== 0)
        .map(({ id, points }) => [id, Number(points)]),
    )
  })

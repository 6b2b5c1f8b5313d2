import { sql } from 'drizzle-orm'
import type { Db } from './workspace-client.ts'

/** Writes an event about a row of `table` as it is now, in the transaction that changed it. */
export async function writeEvent(
  tx: Db,
  workspace: string,
  type: string,
  table: 'account' | 'reward',
  id: string,
) {
  await tx.execute(sql`
    select event_write(${workspace}, ${type}, ${id}, to_jsonb(row), null, clock_timestamp())
    from ${sql.identifier(table)} row where row.workspace = ${workspace} and row.id = ${id}`)
}

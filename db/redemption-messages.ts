import { and, eq } from 'drizzle-orm'
import type { Pool } from './pool.ts'
import { redemptionMessage } from './schema/index.ts'
import { inWorkspace } from './workspace-client.ts'

export type RedemptionMessageRow = typeof redemptionMessage.$inferSelect

/** The message that was obeyed under this operation, if it was. */
export const findRedemptionMessage = (
  pool: Pool,
  workspace: string,
  operation: string,
): Promise<RedemptionMessageRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db
      .select()
      .from(redemptionMessage)
      .where(
        and(eq(redemptionMessage.workspace, workspace), eq(redemptionMessage.operation, operation)),
      )
    return rows[0]
  })

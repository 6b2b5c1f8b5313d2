import { and, eq, or } from 'drizzle-orm'
import type { Pool } from './pool.ts'
import { reportedEvent } from './schema/index.ts'
import { fromSnapshot, type Snapshot } from './snapshot.ts'
import { inWorkspace } from './workspace-client.ts'

export type ReportedEventRow = typeof reportedEvent.$inferSelect

export const readReportedEvent = (snapshot: Snapshot): ReportedEventRow =>
  fromSnapshot(reportedEvent, snapshot)

/** The event that the caller knows by our id of it, or by its own `eventId`, which stands in front of none of ours. */
export const findReportedEvent = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<ReportedEventRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db
      .select()
      .from(reportedEvent)
      .where(
        and(
          eq(reportedEvent.workspace, workspace),
          or(eq(reportedEvent.eventId, id), eq(reportedEvent.id, id)),
        ),
      )
      .limit(2)
    return rows.find((row) => row.id === id) ?? rows[0]
  })

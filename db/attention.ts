import { and, asc, desc, eq, isNull, type SQL, sql } from 'drizzle-orm'
import type { AttentionKind, AttentionStatus } from '../domain/attention.ts'
import { type Page, type PageRequest, unknownCursor } from './page.ts'
import type { Pool } from './pool.ts'
import { type AttentionDecision, attention } from './schema/index.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

export type AttentionRow = typeof attention.$inferSelect

const NOW = sql`clock_timestamp()`

const named = (workspace: string, id: string) =>
  and(eq(attention.workspace, workspace), eq(attention.id, id))

export const findAttention = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<AttentionRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db.select().from(attention).where(named(workspace, id))
    return rows[0]
  })

/** As it is, locked against another decision until the transaction ends. */
export async function lockAttention(
  tx: Db,
  workspace: string,
  id: string,
): Promise<AttentionRow | undefined> {
  const rows = await tx.select().from(attention).where(named(workspace, id)).for('no key update')
  return rows[0]
}

// In words of the indexes: what was snoozed stands where its snooze ends, what is settled where it was.
const OPEN_PLACE = sql`(coalesce(${attention.snoozedUntil}, ${attention.since}))`
const UNSETTLED = isNull(attention.settledAt)
const LIST: Readonly<Record<AttentionStatus, { place: SQL; where: SQL | undefined }>> = {
  open: { place: OPEN_PLACE, where: and(UNSETTLED, sql`${OPEN_PLACE} <= ${NOW}`) },
  snoozed: { place: OPEN_PLACE, where: and(UNSETTLED, sql`${OPEN_PLACE} > ${NOW}`) },
  settled: { place: sql`${attention.settledAt}`, where: sql`${attention.settledAt} is not null` },
}

/** The last to come first; one that was snoozed comes at the end of its snooze. */
export const listAttention = (
  pool: Pool,
  workspace: string,
  { status, kind }: { status: AttentionStatus; kind?: AttentionKind | undefined },
  page: Pick<PageRequest, 'limit' | 'startingAfter' | 'endingBefore'>,
): Promise<Page<AttentionRow>> =>
  inWorkspace(pool, workspace, async (db) => {
    const { limit, startingAfter, endingBefore } = page
    const { place, where } = LIST[status]
    const backwards = endingBefore !== undefined
    const cursor = startingAfter ?? endingBefore
    const order = backwards ? asc : desc
    const at = cursor === undefined ? undefined : await placeOf(db, workspace, cursor, place)
    if (at === null) throw unknownCursor(page)
    const beyond =
      cursor === undefined
        ? undefined
        : sql`(${place}, ${attention.id}) ${sql.raw(backwards ? '>' : '<')} (${at}::timestamptz, ${cursor})`
    const found = await db
      .select()
      .from(attention)
      .where(
        and(eq(attention.workspace, workspace), kind && eq(attention.kind, kind), where, beyond),
      )
      .orderBy(order(place), order(attention.id))
      .limit(limit + 1)
    const rows = found.slice(0, limit)
    return { rows: backwards ? rows.reverse() : rows, hasMore: found.length > limit }
  })

/** Where one stands by now, to the microsecond; null where there is none. */
async function placeOf(db: Db, workspace: string, id: string, place: SQL): Promise<string | null> {
  const rows = await db
    .select({ at: sql<string | null>`(coalesce(${place}, ${attention.since}))::text` })
    .from(attention)
    .where(named(workspace, id))
  return rows[0]?.at ?? null
}

export async function writeDecision(
  tx: Db,
  workspace: string,
  id: string,
  change: { snoozedUntil: Date } | { settledAt: Date },
  decision: AttentionDecision,
): Promise<AttentionRow | undefined> {
  const rows = await tx
    .update(attention)
    .set({ ...change, decision })
    .where(named(workspace, id))
    .returning()
  return rows[0]
}

/** What was raised about an endpoint is over: it was enabled again, or deleted. */
export async function settleEndpoint(tx: Db, workspace: string, endpoint: string): Promise<void> {
  await tx
    .update(attention)
    .set({ settledAt: NOW })
    .where(
      and(
        eq(attention.workspace, workspace),
        sql`${attention.kind} in ('webhook_endpoint_disabled', 'webhook_endpoint_failing')`,
        eq(attention.key, endpoint),
        UNSETTLED,
      ),
    )
}

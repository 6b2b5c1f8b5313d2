import { and, eq, sql } from 'drizzle-orm'
import { call } from './call.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import type { ChunkResult } from './results/bulk.ts'
import { bulk, bulkChunk } from './schema/index.ts'
import { fromSnapshot, type Snapshot } from './snapshot.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

export type BulkRow = typeof bulk.$inferSelect
export type NewBulk = typeof bulk.$inferInsert

export const findBulk = (pool: Pool, workspace: string, id: string): Promise<BulkRow | undefined> =>
  inWorkspace(pool, workspace, (db) => readBulk(db, workspace, id))

export async function readBulk(
  db: Db,
  workspace: string,
  id: string,
): Promise<BulkRow | undefined> {
  const rows = await db
    .select()
    .from(bulk)
    .where(and(eq(bulk.workspace, workspace), eq(bulk.id, id)))
  return rows[0]
}

export const listBulks = (
  pool: Pool,
  workspace: string,
  kind: BulkRow['kind'],
  page: PageRequest,
): Promise<Page<BulkRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(db, bulk, page, [eq(bulk.workspace, workspace), eq(bulk.kind, kind)]),
  )

/** The import or reversal with this id, with its run's outbox row: the one inserted now, or undefined where it is there already. */
export async function insertBulk(tx: Db, values: NewBulk): Promise<BulkRow | undefined> {
  const rows = await tx.insert(bulk).values(values).onConflictDoNothing().returning()
  if (rows[0] !== undefined) await writeOutbox(tx, values.workspace, values.id)
  return rows[0]
}

/** Those of these accounts that there are; `owner` is who has a merged one's points. */
export const findImportAccounts = (pool: Pool, workspace: string, ids: string[]) =>
  inWorkspace(pool, workspace, async (db) => {
    const { rows } = await db.execute<{
      id: string
      program: string
      status: string
      owner: string
    }>(
      sql`select id, program, status,
          case when merged_into is null then id else ledger.account_survivor(workspace, id) end as owner
        from account where workspace = ${workspace} and id = any (${sql.param(ids)}::text[])`,
    )
    return new Map(rows.map((row) => [row.id, row]))
  })

/** How many rows carry this batch tag. */
export const readBatchSize = (pool: Pool, workspace: string, batch: string): Promise<number> =>
  inWorkspace(pool, workspace, async (db) => {
    const { rows } = await db.execute<{ n: number }>(
      sql`select count(*) as n from ptx where workspace = ${workspace} and batch = ${batch}`,
    )
    return rows[0]?.n ?? 0
  })

/** An import of this batch that still runs or is paused. */
export const findOpenImport = (
  pool: Pool,
  workspace: string,
  batch: string,
): Promise<BulkRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db
      .select()
      .from(bulk)
      .where(
        and(
          eq(bulk.workspace, workspace),
          eq(bulk.batch, batch),
          eq(bulk.kind, 'import'),
          sql`status in ('running', 'paused')`,
        ),
      )
    return rows[0]
  })

/** running <-> paused, or canceled for good; one that is done stays. Returns the row as it is now. */
export async function setBulkStatus(
  tx: Db,
  workspace: string,
  id: string,
  status: 'running' | 'paused' | 'canceled',
) {
  if (status === 'canceled') {
    await tx.execute(sql`select ledger.bulk_cancel(${workspace}, ${id}, clock_timestamp())`)
    await writeOutbox(tx, workspace, id)
    return readBulk(tx, workspace, id)
  }
  await tx
    .update(bulk)
    .set({ status, progressedAt: sql`clock_timestamp()` })
    .where(
      and(eq(bulk.workspace, workspace), eq(bulk.id, id), sql`status in ('running', 'paused')`),
    )
  await writeOutbox(tx, workspace, id)
  return readBulk(tx, workspace, id)
}

const writeOutbox = (tx: Db, workspace: string, id: string) =>
  tx.execute(sql`select ledger.bulk_outbox(${workspace}, ${id})`)

/** Tells the run of an import or a reversal that stands still to check its row, or starts it again. */
export const resumeBulk = (pool: Pool, workspace: string, id: string) =>
  call<void>(pool, 'bulk_outbox', [workspace, id])

/** Numbers of the chunks still to be written, in order. */
export const waitingChunks = (
  pool: Pool,
  workspace: string,
  id: string,
  limit: number,
): Promise<number[]> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db
      .select({ no: bulkChunk.no })
      .from(bulkChunk)
      .where(
        and(eq(bulkChunk.workspace, workspace), eq(bulkChunk.bulk, id), sql`posted_at is null`),
      )
      .orderBy(bulkChunk.no)
      .limit(limit)
    return rows.map(({ no }) => no)
  })

export const postChunk = (pool: Pool, workspace: string, id: string, no: number, at: string) =>
  call<ChunkResult>(pool, 'bulk_post_chunk', [workspace, id, no, at])

export const reverseChunk = (
  pool: Pool,
  workspace: string,
  id: string,
  limit: number,
  at: string,
) => call<ChunkResult>(pool, 'bulk_reverse_chunk', [workspace, id, limit, at])

export async function completeBulk(
  pool: Pool,
  workspace: string,
  id: string,
  at: string,
): Promise<BulkRow | undefined> {
  const snapshot = await call<Snapshot | null>(pool, 'bulk_complete', [workspace, id, at])
  return snapshot === null ? undefined : fromSnapshot(bulk, snapshot)
}

/** Across workspaces: runs that have written nothing since `before`, though nobody paused them. */
export async function stalledBulks(pool: Pool, before: string, limit: number, skip = 0) {
  const { rows } = await pool.query<{ workspace: string; bulk: string }>(
    'select workspace, bulk from ledger.bulks_stalled($1, $2, $3)',
    [before, limit, skip],
  )
  return rows
}

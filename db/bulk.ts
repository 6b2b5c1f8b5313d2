import { and, eq, sql } from 'drizzle-orm'
import { bulkCancel, bulkOutbox } from './ledger.gen.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { bulk, bulkChunk } from './schema/index.ts'
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
  if (rows[0] !== undefined) {
    await bulkOutbox(tx, { workspace: values.workspace, bulk: values.id })
  }
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
    await bulkCancel(tx, { workspace, bulk: id })
    await bulkOutbox(tx, { workspace, bulk: id })
    return readBulk(tx, workspace, id)
  }
  await tx
    .update(bulk)
    .set({ status, progressedAt: sql`clock_timestamp()` })
    .where(
      and(eq(bulk.workspace, workspace), eq(bulk.id, id), sql`status in ('running', 'paused')`),
    )
  await bulkOutbox(tx, { workspace, bulk: id })
  return readBulk(tx, workspace, id)
}

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

/** An import's file while it is read: its checked chunks are kept, and no import has them yet. */
export type Upload = { workspace: string; id: string }

/** Says that the process that reads the file lives, while its sender is slow. */
export const markUploadAlive = (pool: Pool, { workspace, id }: Upload): Promise<unknown> =>
  inWorkspace(pool, workspace, (db) =>
    db.execute(
      sql`update bulk_upload set alive_at = clock_timestamp() where workspace = ${workspace} and id = ${id}`,
    ),
  )

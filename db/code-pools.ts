import { and, eq, sql } from 'drizzle-orm'
import type { SealedCode } from '../domain/gift-card.ts'
import type { RequestIdentity } from './idempotency.ts'
import { codesUpload } from './ledger.gen.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { codePool } from './schema/index.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

export type CodePoolRow = typeof codePool.$inferSelect
export type NewCodePool = typeof codePool.$inferInsert

export const findCodePool = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<CodePoolRow | undefined> =>
  inWorkspace(pool, workspace, (db) => readCodePool(db, workspace, id))

export async function readCodePool(
  db: Db,
  workspace: string,
  id: string,
): Promise<CodePoolRow | undefined> {
  const rows = await db
    .select()
    .from(codePool)
    .where(and(eq(codePool.workspace, workspace), eq(codePool.id, id)))
  return rows[0]
}

export const listCodePools = (
  pool: Pool,
  workspace: string,
  page: PageRequest,
): Promise<Page<CodePoolRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(db, codePool, page, [eq(codePool.workspace, workspace)]),
  )

export async function insertCodePool(tx: Db, values: NewCodePool): Promise<CodePoolRow> {
  const rows = await tx.insert(codePool).values(values).returning()
  if (!rows[0]) throw new Error('code pool was not inserted')
  return rows[0]
}

type CodeCounts = { available: number; given: number; void: number }

/** How many codes of each pool are where. Counts them all: for a person, not for a redemption. */
export const readCodeCounts = (
  pool: Pool,
  workspace: string,
  pools: string[],
): Promise<Map<string, CodeCounts>> =>
  inWorkspace(pool, workspace, async (db) => {
    const counts = new Map<string, CodeCounts>()
    if (pools.length === 0) return counts
    const { rows } = await db.execute<{ pool: string; status: keyof CodeCounts; codes: number }>(
      sql`select pool, status, count(*)::int as codes from gift_code
        where workspace = ${workspace} and pool in ${pools} group by 1, 2`,
    )
    for (const { pool: id, status, codes } of rows) {
      const of = counts.get(id) ?? { available: 0, given: 0, void: 0 }
      counts.set(id, { ...of, [status]: codes })
    }
    return counts
  })

export type CodesUpload = {
  workspace: string
  pool: string
  batch: string
  codes: (SealedCode & { line: number })[]
  request: RequestIdentity
  at: string
}

/** See `codes_upload`: one transaction, each line added or reported. */
export const uploadCodes = (
  pool: Pool,
  { request: { route, key, fingerprint }, ...upload }: CodesUpload,
) => codesUpload(pool, { ...upload, route, key, fingerprint })

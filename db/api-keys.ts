import { and, eq, sql } from 'drizzle-orm'
import type { KeyKind } from '../domain/secrets.ts'
import { apiKeyFind } from './ledger.gen.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { apiKey } from './schema/index.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

export type ApiKeyRow = typeof apiKey.$inferSelect
export type NewApiKey = typeof apiKey.$inferInsert

/** The key with this sha256 (hex), whichever workspace it belongs to. */
export async function findApiKey(pool: Pool, hash: string) {
  const [row] = await apiKeyFind(pool, { hash })
  if (row === undefined) return undefined
  const { expires_at: expiresAt, revoked_at: revokedAt, ...key } = row
  return { ...key, type: 'api_key' as const, expiresAt, revokedAt }
}

const own = (workspace: string, id: string) =>
  and(eq(apiKey.workspace, workspace), eq(apiKey.id, id))

export const readApiKey = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<ApiKeyRow | undefined> =>
  inWorkspace(
    pool,
    workspace,
    async (db) => (await db.select().from(apiKey).where(own(workspace, id)))[0],
  )

export const listApiKeys = (
  pool: Pool,
  workspace: string,
  kind: KeyKind | undefined,
  page: PageRequest,
): Promise<Page<ApiKeyRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(db, apiKey, page, [eq(apiKey.workspace, workspace), kind && eq(apiKey.kind, kind)]),
  )

/** Undefined where a key with this id or hash is there already. */
export async function insertApiKey(tx: Db, key: NewApiKey): Promise<ApiKeyRow | undefined> {
  return (await tx.insert(apiKey).values(key).onConflictDoNothing().returning())[0]
}

/** The key as it is, locked against another change until the transaction ends. */
export async function lockApiKey(
  tx: Db,
  workspace: string,
  id: string,
): Promise<ApiKeyRow | undefined> {
  return (await tx.select().from(apiKey).where(own(workspace, id)).for('no key update'))[0]
}

/** The scopes that the key has now, unchanged until the transaction ends; none where it has ended. */
export async function scopesOf(tx: Db, workspace: string, id: string): Promise<string[]> {
  const rows = await tx
    .select({
      scopes: apiKey.scopes,
      ended: sql<boolean>`coalesce(least(${apiKey.expiresAt}, ${apiKey.revokedAt}) <= clock_timestamp(), false)`,
    })
    .from(apiKey)
    .where(and(own(workspace, id), eq(apiKey.kind, 'secret')))
    .for('share')
  const [key] = rows
  return key === undefined || key.ended ? [] : key.scopes
}

type ApiKeyChange = Partial<Pick<NewApiKey, 'name' | 'scopes'>>

export async function updateApiKey(
  tx: Db,
  { workspace, id }: ApiKeyRow,
  change: ApiKeyChange,
): Promise<ApiKeyRow | undefined> {
  const set = { id, ...change } // never an empty set
  return (await tx.update(apiKey).set(set).where(own(workspace, id)).returning())[0]
}

/** The new secret is taken at once, the one before it for `overlapHours` more; of two before it only the last. */
export async function rollApiKey(
  tx: Db,
  before: ApiKeyRow,
  secret: Pick<ApiKeyRow, 'hash' | 'prefix' | 'last4'>,
  overlapHours: number,
): Promise<ApiKeyRow | undefined> {
  const rows = await tx
    .update(apiKey)
    .set({
      ...secret,
      previousHash: before.hash,
      previousExpiresAt: sql`clock_timestamp() + make_interval(secs => ${overlapHours * 3_600})`,
    })
    .where(own(before.workspace, before.id))
    .returning()
  return rows[0]
}

/** Ends the key now; one that was revoked before keeps that time. Undefined where the workspace has no such key. */
export async function revokeApiKey(
  tx: Db,
  workspace: string,
  id: string,
): Promise<ApiKeyRow | undefined> {
  const rows = await tx
    .update(apiKey)
    .set({ revokedAt: sql`least(${apiKey.revokedAt}, clock_timestamp())` })
    .where(own(workspace, id))
    .returning()
  return rows[0]
}

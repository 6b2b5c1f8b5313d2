import { and, eq, sql } from 'drizzle-orm'
import type { Pool } from './pool.ts'
import { idempotencyKey } from './schema/index.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

/** A request as a repeat is recognised by: its route template and key (null: none was sent), and its content's hash. */
export type RequestIdentity = {
  readonly workspace: string
  readonly route: string
  readonly key: string | null
  readonly fingerprint: string
}

/** What an earlier request used the key for. */
export type KeyClaim = { readonly fingerprint: string; readonly resource: string }

/**
 * Claims the request's key for `resource` inside the transaction that writes it. Returns what an earlier
 * request had claimed it for, or undefined where this is the first. A repeat while the first still runs
 * waits up to 5 s (then error 55P03).
 */
export async function claimKey(
  tx: Db,
  { workspace, route, key, fingerprint }: RequestIdentity,
  resource: string,
): Promise<KeyClaim | undefined> {
  if (key === null) return undefined
  const { rows } = await tx.execute<{ fingerprint: string | null; resource: string | null }>(
    sql`select (c).fingerprint, (c).resource from (select ledger.idempotency_claim(
      ${workspace}, ${route}, ${key}, ${fingerprint}, ${resource}, clock_timestamp()) as c offset 0) claimed`,
  )
  return claimOf(rows[0])
}

/** What the key was claimed for within 24 hours; undefined where it was not, or where its request still runs. */
export async function findClaim(
  pool: Pool,
  { workspace, route, key }: RequestIdentity,
): Promise<KeyClaim | undefined> {
  if (key === null) return undefined
  return inWorkspace(pool, workspace, async (db) => {
    const rows = await db
      .select({ fingerprint: idempotencyKey.fingerprint, resource: idempotencyKey.resource })
      .from(idempotencyKey)
      .where(
        and(
          eq(idempotencyKey.workspace, workspace),
          eq(idempotencyKey.route, route),
          eq(idempotencyKey.key, key),
          sql`${idempotencyKey.createdAt} > clock_timestamp() - interval '24 hours'`,
        ),
      )
    return claimOf(rows[0])
  })
}

function claimOf(
  row: { fingerprint: string | null; resource: string | null } | undefined,
): KeyClaim | undefined {
  const { fingerprint = null, resource = null } = row ?? {}
  return fingerprint === null || resource === null ? undefined : { fingerprint, resource }
}

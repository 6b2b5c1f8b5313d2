import { sql } from 'drizzle-orm'
import { refuse } from '../domain/refusal.ts'
import type { Db } from './workspace-client.ts'

/** A request as a repeat is recognised by: its route template and key (null: none was sent), and its content's hash. */
export type RequestIdentity = {
  workspace: string
  route: string
  key: string | null
  fingerprint: string
}

/**
 * Claims the request's key for `resource` inside the transaction that creates it.
 * Returns the id that an earlier request with the same key created, or undefined
 * where this is the first. Refused: the key with another body (idempotency_key_reused).
 * A repeat while the first still runs waits up to 5 s (then error 55P03).
 */
export async function claimKey(
  tx: Db,
  request: RequestIdentity,
  resource: string,
): Promise<string | undefined> {
  if (request.key === null) return undefined
  const { workspace, route, key, fingerprint } = request
  const { rows } = await tx.execute<{ fingerprint: string | null; resource: string | null }>(
    sql`select (c).fingerprint, (c).resource from (select idempotency_claim(
      ${workspace}, ${route}, ${key}, ${fingerprint}, ${resource}, clock_timestamp()) as c offset 0) claimed`,
  )
  const earlier = rows[0]
  if (!earlier?.resource) return undefined
  if (earlier.fingerprint !== fingerprint) {
    refuse('idempotency_key_reused', 'This Idempotency-Key was used with another request.')
  }
  return earlier.resource
}

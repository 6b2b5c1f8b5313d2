import { sql } from 'drizzle-orm'
import { refuse } from '../domain/refusal.ts'
import type { Pool } from './pool.ts'
import { type Db, transact } from './workspace-client.ts'

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
    sql`select (c).fingerprint, (c).resource from (select ledger.idempotency_claim(
      ${workspace}, ${route}, ${key}, ${fingerprint}, ${resource}, clock_timestamp()) as c offset 0) claimed`,
  )
  const earlier = rows[0]
  if (!earlier?.resource) return undefined
  if (earlier.fingerprint !== fingerprint) {
    refuse('idempotency_key_reused', 'This Idempotency-Key was used with another request.')
  }
  return earlier.resource
}

/** What a write gave; `replayed`: an earlier request with the same key had made it. */
export type Once<T> = { value: T; replayed: boolean }

/** What a write is made of. */
export type Write<T> = {
  /** The id that a repeat finds the write by. */
  resource: string
  first(tx: Db): Promise<T>
  /** Reads for a repeat what the first request wrote, by its id, as it is now. */
  again(tx: Db, resource: string): Promise<T>
  /** Whether this is a "no": then nothing is kept, not even the key. Undefined is, where it does not say. */
  isNo?(value: T): boolean
}

/**
 * Writes once for the request's key, in one transaction, the key first. A refusal that is thrown leaves the
 * key unused as well.
 */
export async function writeOnce<T>(
  pool: Pool,
  request: RequestIdentity,
  { resource, first, again, isNo = (value) => value === undefined }: Write<T>,
): Promise<Once<T>> {
  let no: { value: T } | undefined
  try {
    return await transact(pool, request.workspace, async (tx) => {
      const earlier = await claimKey(tx, request, resource)
      const replayed = earlier !== undefined
      const value = replayed ? await again(tx, earlier) : await first(tx)
      if (isNo(value)) {
        no = { value }
        throw new NothingWritten()
      }
      return { value, replayed }
    })
  } catch (error) {
    if (error instanceof NothingWritten && no !== undefined) return { ...no, replayed: false }
    throw error
  }
}

/** Takes back a transaction whose outcome is a "no". */
class NothingWritten extends Error {}

/**
 * Changes a row once for the request's key. It is read under its lock, so that of two changes at the same
 * time neither is lost; undefined where there is no such row.
 */
export const changeOnce = <Row>(
  pool: Pool,
  request: RequestIdentity,
  id: string,
  lock: (tx: Db, workspace: string, id: string) => Promise<Row | undefined>,
  change: (tx: Db, before: Row) => Promise<Row | undefined>,
): Promise<Once<Row | undefined>> =>
  writeOnce(pool, request, {
    resource: id,
    first: async (tx) => {
      const before = await lock(tx, request.workspace, id)
      return before && (await change(tx, before))
    },
    again: (tx) => lock(tx, request.workspace, id),
  })

import { claimKey, findClaim, type KeyClaim, type RequestIdentity } from '../db/idempotency.ts'
import type { Pool } from '../db/pool.ts'
import { type Db, inWorkspace, transact } from '../db/workspace-client.ts'
import { Refused } from '../domain/refusal.ts'
import { notFound } from './refusals.ts'

/** A row as a request left it; `replayed`: an earlier request with its key had, and the row is as it is now. */
export type Written<Row> = { readonly row: Row; readonly replayed: boolean }

type Write<Row> = (tx: Db) => Promise<Row | undefined>

type Command<Row> = {
  /** What a 404 calls the row. */
  readonly noun: string
  /** The id that a repeat finds the row by. */
  readonly id: string
  /** The row as it is now, for a repeat. */
  find(db: Db, workspace: string, id: string): Promise<Row | undefined>
} & (
  | { readonly write: Write<Row> }
  /** Looks at what is outside the transaction, and refuses or says what to write. No repeat comes to it: that may be otherwise since. */
  | { readonly prepare: () => Promise<Write<Row>> }
)

/**
 * Writes once for the request's Idempotency-Key, in one transaction, the key first; without a key, at each
 * request. A repeat gets the row as it is now. A refusal takes everything back, and leaves the key unused.
 * Refused: the key with another request (idempotency_key_reused), and a row that there is not.
 */
export async function idempotent<Row>(
  pool: Pool,
  request: RequestIdentity,
  command: Command<Row>,
): Promise<Written<Row>> {
  const { workspace, fingerprint } = request
  const repeat = async (db: Db, claim: KeyClaim) => {
    refuseOtherRequest(claim.fingerprint, fingerprint)
    const row = await command.find(db, workspace, claim.resource)
    return row === undefined ? notFound(command.noun, claim.resource) : { row, replayed: true }
  }
  const claim = 'prepare' in command ? await findClaim(pool, request) : undefined
  if (claim !== undefined) return inWorkspace(pool, workspace, (db) => repeat(db, claim))
  const write = 'prepare' in command ? await command.prepare() : command.write
  return transact(pool, workspace, async (tx) => {
    const claim = await claimKey(tx, request, command.id)
    if (claim !== undefined) return repeat(tx, claim)
    const row = await write(tx)
    return row === undefined ? notFound(command.noun, command.id) : { row, replayed: false }
  })
}

type Change<Row> = (tx: Db, before: Row) => Promise<Row | undefined>

type ChangeCommand<Row> = {
  readonly noun: string
  readonly id: string
  lock(db: Db, workspace: string, id: string): Promise<Row | undefined>
} & ({ readonly change: Change<Row> } | { readonly prepare: () => Promise<Change<Row>> })

/** Changes a row once for the request's key. It is read under its lock, so that of two changes at once neither is lost. */
export function changeOnce<Row>(
  pool: Pool,
  request: RequestIdentity,
  command: ChangeCommand<Row>,
): Promise<Written<Row>> {
  const { noun, id, lock } = command
  const of =
    (change: Change<Row>): Write<Row> =>
    async (tx) => {
      const before = await lock(tx, request.workspace, id)
      return before && change(tx, before)
    }
  const row = { noun, id, find: lock }
  return 'prepare' in command
    ? idempotent(pool, request, { ...row, prepare: async () => of(await command.prepare()) })
    : idempotent(pool, request, { ...row, write: of(command.change) })
}

/** Of a row that bears its request's fingerprint, its id being made of the request's key: refuses another request's. */
export function writtenBy<Row extends { readonly fingerprint: string | null }>(
  fingerprint: string,
  row: Row,
  replayed: boolean,
): Written<Row> {
  if (replayed) refuseOtherRequest(row.fingerprint, fingerprint)
  return { row, replayed }
}

function refuseOtherRequest(stored: string | null, fingerprint: string): void {
  if (stored === fingerprint) return
  const message = 'This Idempotency-Key was used with another request.'
  throw new Refused({ code: 'idempotency_key_reused', message })
}

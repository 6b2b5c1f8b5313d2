import { actingAs } from '../db/acting.ts'
import {
  type BulkRow,
  findBulk,
  insertBulk,
  type NewBulk,
  readBulk,
  setBulkStatus,
  waitingChunks,
} from '../db/bulk.ts'
import { databaseNow } from '../db/clock.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import {
  approvalEffectOfImport,
  approvalRequest,
  bulkComplete,
  bulkPostChunk,
  bulkReverseChunk,
  bulkUploadAdopt,
  ledgerRollUp,
} from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import { keepAllDecimals, programsIn } from '../db/programs.ts'
import { type Db, transact } from '../db/workspace-client.ts'
import { type Actor, actorOf } from '../domain/actor.ts'
import { type BulkKind, IMPORT_LANES, laneOfChunk } from '../domain/bulk.ts'
import type { NewApproval } from './approvals.ts'
import type { Dependencies } from './dependencies.ts'
import { idempotent, type Written, writtenBy } from './idempotent.ts'
import { type CheckedUpload, UploadLost } from './imports.ts'
import { retryOnConflict } from './retry-on-conflict.ts'

/** A program has other decimals than its rows were reckoned in. Nothing was written. */
export class DecimalsChanged extends Error {}

async function adopt(tx: Db, { workspace, id }: NewBulk, upload: CheckedUpload): Promise<void> {
  const chunks = await bulkUploadAdopt(tx, { workspace, upload: upload.id, bulk: id })
  if (chunks === null) throw new UploadLost()
  if (chunks !== upload.chunks) throw new Error(`${chunks} of ${upload.chunks} chunks of ${id}`)
  await refuseOtherDecimals(tx, workspace, upload.decimals)
}

// From here on a change of decimals waits, and is refused once the rows are there.
async function refuseOtherDecimals(
  tx: Db,
  workspace: string,
  decimals: ReadonlyMap<string, number>,
): Promise<void> {
  await keepAllDecimals(tx, workspace)
  const programs = await programsIn(tx, workspace)
  if (programs.some((program) => (decimals.get(program.id) ?? 0) !== program.decimals)) {
    throw new DecimalsChanged()
  }
}

/** What is asked of imports and reversals. */
export function bulkCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /**
     * Writes the import or reversal, once by its id, and gives it its file's chunks. DecimalsChanged where a program
     * has others by now than its rows were reckoned in; UploadLost where the chunks were removed meanwhile.
     * `approval`: what an import waits for; what it would do is told by its rows.
     */
    createBulk: (
      values: NewBulk,
      upload?: CheckedUpload,
      approval?: Omit<NewApproval, 'effect'>,
    ): Promise<Written<BulkRow>> =>
      // here, for a file that was read cannot be read again
      retryOnConflict(() =>
        transact(pool, values.workspace, async (tx) => {
          const row = await insertBulk(tx, values)
          if (row === undefined) return { row: await known(tx, values), replayed: true }
          if (upload !== undefined) await adopt(tx, values, upload)
          if (approval !== undefined) {
            const { workspace, id } = values
            const effect = await approvalEffectOfImport(tx, { workspace, bulk: id })
            await approvalRequest(tx, { ...approval, effect })
          }
          return { row, replayed: false }
        }),
      ).then(({ row, replayed }) => writtenBy(values.fingerprint, row, replayed)),

    /** Pauses, resumes or cancels; the run checks its row before each chunk. */
    changeBulk: (
      request: RequestIdentity,
      noun: BulkKind,
      bulk: string,
      status: 'running' | 'paused' | 'canceled',
    ): Promise<Written<BulkRow>> =>
      idempotent(pool, request, {
        noun,
        id: bulk,
        write: (tx) => setBulkStatus(tx, request.workspace, bulk, status),
        find: readBulk,
      }),
  }
}

async function known(tx: Db, { workspace, id }: NewBulk): Promise<BulkRow> {
  const row = await readBulk(tx, workspace, id)
  if (row === undefined) throw new Error(`no bulk ${id}`)
  return row
}

// A turn of this many chunks lasts some seconds; then the workflow says how far it is.
const CHUNKS_A_TURN = 60
// Rows reversed in one transaction: its accounts are locked for some 100 ms.
const REVERSED_AT_ONCE = 200

export type BulkState = {
  status: BulkRow['status'] | 'missing'
  total: number
  posted: number
  refused: number
}

/** Writes for some seconds and answers how far it is; nothing is written twice. `onChunk` is called after each. */
export async function workOnBulk(
  pool: Pool,
  { workspace, bulk }: { workspace: string; bulk: string },
  onChunk: (no: number) => void,
): Promise<BulkState> {
  const before = await findBulk(pool, workspace, bulk)
  if (before === undefined) return { status: 'missing', total: 0, posted: 0, refused: 0 }
  if (before.status === 'running') {
    const work = before.kind === 'import' ? importSome : reverseSome
    const isDone = await actingAs(runOf(before), () => work(pool, before, onChunk))
    if (isDone) {
      await bulkComplete(pool, { workspace, bulk, at: await databaseNow(pool) })
    }
  }
  const { status, total, posted, refused } = (await findBulk(pool, workspace, bulk)) ?? before
  return { status, total, posted, refused }
}

/** The run, for who asked for it. */
const runOf = ({ id, actor }: BulkRow): Actor => ({
  type: 'workflow',
  id,
  name: null,
  ...(actor !== null && { onBehalfOf: actorOf(actor) }),
})

/** Whether all of it is written. */
async function importSome(
  pool: Pool,
  { workspace, id: bulk }: BulkRow,
  onChunk: (no: number) => void,
): Promise<boolean> {
  const waiting = await waitingChunks(pool, workspace, bulk, CHUNKS_A_TURN)
  const lanes = Array.from({ length: IMPORT_LANES }, async (_, lane) => {
    for (const no of waiting.filter((one) => laneOfChunk(one) === lane)) {
      const at = await databaseNow(pool)
      const { outcome } = await bulkPostChunk(pool, { workspace, bulk, no, at })
      onChunk(no)
      if (outcome !== 'posted' && outcome !== 'done') return
    }
  })
  await Promise.all(lanes)
  await ledgerRollUp(pool, {}) // so that liability stays quick while many rows come in
  return waiting.length === 0
}

/** Whether all of it is reversed. */
async function reverseSome(
  pool: Pool,
  { workspace, id: bulk }: BulkRow,
  onChunk: (no: number) => void,
): Promise<boolean> {
  for (let i = 0; i < CHUNKS_A_TURN; i++) {
    const at = await databaseNow(pool)
    const chunk = { workspace, bulk, limit: REVERSED_AT_ONCE, at }
    const { outcome } = await bulkReverseChunk(pool, chunk)
    onChunk(i)
    if (outcome === 'done') return true
    if (outcome !== 'posted') return false
  }
  return false
}

import { heartbeat } from '@temporalio/activity'
import {
  type BulkRow,
  completeBulk,
  findBulk,
  insertBulk,
  type NewBulk,
  postChunk,
  readBulk,
  reverseChunk,
  setBulkStatus,
  waitingChunks,
} from '../db/bulk.ts'
import { adoptUpload } from '../db/bulk-uploads.ts'
import { databaseNow } from '../db/clock.ts'
import { type Once, type RequestIdentity, writeOnce } from '../db/idempotency.ts'
import { rollUp } from '../db/liability.ts'
import { keepAllDecimals, programsIn } from '../db/programs.ts'
import { type Db, transact } from '../db/workspace-client.ts'
import { IMPORT_LANES, laneOfChunk } from '../domain/import-lanes.ts'
import type { Dependencies } from './dependencies.ts'
import { UploadLost } from './upload.ts'

// A turn of this many chunks lasts some seconds; then the workflow says how far it is.
const CHUNKS_A_TURN = 60
// Rows reversed in one transaction: its accounts are locked for some 100 ms.
const REVERSED_AT_ONCE = 200

type Which = { workspace: string; bulk: string }

/** Checked rows of one lane, as JSON text. */
export type Chunk = { no: number; rows: string }

/** A file read to its end and found good. `decimals`: what the rows of each program were reckoned in (0: not named). */
export type CheckedUpload = {
  id: string
  chunks: number
  decimals: ReadonlyMap<string, number>
}

export type BulkState = {
  status: BulkRow['status'] | 'missing'
  total: number
  posted: number
  refused: number
}

export type BulkRunActivities = ReturnType<typeof bulkRunActivities>

/** What the run of an import or a reversal does, in the worker. */
export function bulkRunActivities({ pool }: Pick<Dependencies, 'pool'>) {
  const importSome = async ({ workspace, id: bulk }: BulkRow): Promise<boolean> => {
    const waiting = await waitingChunks(pool, workspace, bulk, CHUNKS_A_TURN)
    const lanes = Array.from({ length: IMPORT_LANES }, async (_, lane) => {
      for (const no of waiting.filter((one) => laneOfChunk(one) === lane)) {
        const at = (await databaseNow(pool)).toISOString()
        const { outcome } = await postChunk(pool, workspace, bulk, no, at)
        heartbeat(no)
        if (outcome !== 'posted' && outcome !== 'done') return
      }
    })
    await Promise.all(lanes)
    await rollUp(pool) // so that liability stays quick while many rows come in
    return waiting.length === 0
  }

  const reverseSome = async ({ workspace, bulk }: Which): Promise<boolean> => {
    for (let i = 0; i < CHUNKS_A_TURN; i++) {
      const at = (await databaseNow(pool)).toISOString()
      const { outcome } = await reverseChunk(pool, workspace, bulk, REVERSED_AT_ONCE, at)
      heartbeat(i)
      if (outcome === 'done') return true
      if (outcome !== 'posted') return false
    }
    return false
  }

  return {
    /** Writes for some seconds and answers how far it is; nothing is written twice. */
    workOnBulk: async (which: Which): Promise<BulkState> => {
      const before = await findBulk(pool, which.workspace, which.bulk)
      if (before === undefined) return { status: 'missing', total: 0, posted: 0, refused: 0 }
      if (before.status === 'running') {
        const done = before.kind === 'import' ? await importSome(before) : await reverseSome(which)
        if (done)
          await completeBulk(
            pool,
            which.workspace,
            which.bulk,
            (await databaseNow(pool)).toISOString(),
          )
      }
      const { status, total, posted, refused } =
        (await findBulk(pool, which.workspace, which.bulk)) ?? before
      return { status, total, posted, refused }
    },
  }
}

/** A program has other decimals than its rows were reckoned in. Nothing was written. */
export class DecimalsChanged extends Error {}

async function adopt(tx: Db, { workspace, id }: NewBulk, upload: CheckedUpload): Promise<void> {
  const chunks = await adoptUpload(tx, { workspace, id: upload.id }, id)
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

/** What the API does with imports and reversals. */
export function bulkActivities({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /**
     * Writes the import or reversal and gives it its file's chunks. False where it is there already. DecimalsChanged where a program
     * has others by now than its rows were reckoned in; UploadLost where the chunks were removed meanwhile.
     */
    createBulk: async (values: NewBulk, upload?: CheckedUpload): Promise<boolean> => {
      return transact(pool, values.workspace, async (tx) => {
        if (!(await insertBulk(tx, values))) return false
        if (upload !== undefined) await adopt(tx, values, upload)
        return true
      })
    },

    /** Pauses, resumes or cancels; the run looks at its row before each chunk. Undefined: no such run. */
    changeBulk: async (
      request: RequestIdentity,
      bulk: string,
      status: 'running' | 'paused' | 'canceled',
    ): Promise<Once<BulkRow | undefined>> => {
      const { workspace } = request
      return writeOnce(pool, request, {
        resource: bulk,
        first: (tx) => setBulkStatus(tx, workspace, bulk, status),
        again: (tx) => readBulk(tx, workspace, bulk),
      })
    },
  }
}

import {
  type BulkRow,
  completeBulk,
  findBulk,
  postChunk,
  reverseChunk,
  waitingChunks,
} from '../db/bulk.ts'
import { databaseNow } from '../db/clock.ts'
import { rollUp } from '../db/liability.ts'
import type { Pool } from '../db/pool.ts'
import { IMPORT_LANES, laneOfChunk } from '../domain/bulk.ts'

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
    if (await work(pool, before, onChunk)) {
      await completeBulk(pool, workspace, bulk, (await databaseNow(pool)).toISOString())
    }
  }
  const { status, total, posted, refused } = (await findBulk(pool, workspace, bulk)) ?? before
  return { status, total, posted, refused }
}

/** Whether all of it is written. */
async function importSome(
  pool: Pool,
  { workspace, id: bulk }: BulkRow,
  onChunk: (no: number) => void,
): Promise<boolean> {
  const waiting = await waitingChunks(pool, workspace, bulk, CHUNKS_A_TURN)
  const lanes = Array.from({ length: IMPORT_LANES }, async (_, lane) => {
    for (const no of waiting.filter((one) => laneOfChunk(one) === lane)) {
      const at = (await databaseNow(pool)).toISOString()
      const { outcome } = await postChunk(pool, workspace, bulk, no, at)
      onChunk(no)
      if (outcome !== 'posted' && outcome !== 'done') return
    }
  })
  await Promise.all(lanes)
  await rollUp(pool) // so that liability stays quick while many rows come in
  return waiting.length === 0
}

/** Whether all of it is reversed. */
async function reverseSome(
  pool: Pool,
  { workspace, id: bulk }: BulkRow,
  onChunk: (no: number) => void,
): Promise<boolean> {
  for (let i = 0; i < CHUNKS_A_TURN; i++) {
    const at = (await databaseNow(pool)).toISOString()
    const { outcome } = await reverseChunk(pool, workspace, bulk, REVERSED_AT_ONCE, at)
    onChunk(i)
    if (outcome === 'done') return true
    if (outcome !== 'posted') return false
  }
  return false
}

import { type BulkRow, insertBulk, type NewBulk, readBulk, setBulkStatus } from '../db/bulk.ts'
import { adoptUpload } from '../db/bulk-uploads.ts'
import { type Once, type RequestIdentity, writeOnce } from '../db/idempotency.ts'
import { keepAllDecimals, programsIn } from '../db/programs.ts'
import { type Db, transact } from '../db/workspace-client.ts'
import type { Dependencies } from './dependencies.ts'
import { UploadLost } from './uploads.ts'

/** A file read to its end and found good. `decimals`: what the rows of each program were reckoned in (0: not named). */
export type CheckedUpload = {
  id: string
  chunks: number
  decimals: ReadonlyMap<string, number>
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

/** What is asked of imports and reversals. */
export function bulkCommands({ pool }: Pick<Dependencies, 'pool'>) {
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

    /** Pauses, resumes or cancels; the run checks its row before each chunk. Undefined: no such run. */
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

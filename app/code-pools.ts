import {
  type CodePoolRow,
  type CodesUpload,
  insertCodePool,
  type NewCodePool,
  uploadCodes,
} from '../db/code-pools.ts'
import { claimKey, type RequestIdentity } from '../db/idempotency.ts'
import { transact } from '../db/workspace-client.ts'
import type { Creation } from './accounts.ts'
import type { Dependencies } from './dependencies.ts'

/** The writers of code pools. Codes come sealed. */
export function codePoolCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    createCodePool: (
      request: RequestIdentity,
      values: NewCodePool & { id: string },
    ): Promise<Creation<CodePoolRow>> =>
      transact(pool, request.workspace, async (tx) => {
        const replayOf = await claimKey(tx, request, values.id)
        return replayOf !== undefined ? { replayOf } : { row: await insertCodePool(tx, values) }
      }),

    uploadCodes: (upload: CodesUpload) => uploadCodes(pool, upload),
  }
}

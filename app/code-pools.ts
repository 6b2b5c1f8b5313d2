import {
  type CodePoolRow,
  type CodesUpload,
  insertCodePool,
  type NewCodePool,
  readCodePool,
  uploadCodes,
} from '../db/code-pools.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import { readCodeBatch } from '../db/snapshot.ts'
import type { Dependencies } from './dependencies.ts'
import { idempotent, type Written } from './idempotent.ts'

/** The writers of code pools. Codes come sealed. */
export function codePoolCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    createCodePool: (
      request: RequestIdentity,
      values: NewCodePool & { id: string },
    ): Promise<Written<CodePoolRow>> =>
      idempotent(pool, request, {
        noun: 'code pool',
        id: values.id,
        write: (tx) => insertCodePool(tx, values),
        find: readCodePool,
      }),

    uploadCodes: async (
      upload: CodesUpload,
    ): Promise<Written<ReturnType<typeof readCodeBatch>>> => {
      const { outcome, batch } = await uploadCodes(pool, upload)
      return { row: readCodeBatch(batch), replayed: outcome === 'replayed' }
    },
  }
}

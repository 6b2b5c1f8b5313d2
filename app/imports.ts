import type { Logger } from 'pino'
import { markUploadAlive, type Upload } from '../db/bulk.ts'
import { bulkUploadForget, bulkUploadKeep, bulkUploadOpen } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import { inWorkspace } from '../db/workspace-client.ts'
import { newId } from '../domain/ids.ts'
import { refuse } from '../domain/refusal.ts'
import type { Dependencies } from './dependencies.ts'
import { type Chunk, checkLines, type ImportCheck, type ImportLine } from './import-check.ts'
import { retryOnConflict } from './retry-on-conflict.ts'

/** A file read to its end and found good. `decimals`: what the rows of each program were reckoned in (0: not named). */
export type CheckedUpload = {
  id: string
  chunks: number
  decimals: ReadonlyMap<string, number>
}

/** The file's process was taken for dead, and what it kept was removed. Nothing was written. */
export class UploadLost extends Error {}

/** What the API does while it reads an import's file. */
export function uploadCommands({ pool }: Dependencies) {
  return {
    /** False where the workspace reads `most` files already, in all processes together. */
    openUpload: ({ workspace, id }: Upload, most: number): Promise<boolean> =>
      bulkUploadOpen(pool, { workspace, upload: id, most }),

    /** Keeps a chunk, where no import has it yet; UploadLost where the upload was taken for dead. */
    keepChunk: async ({ workspace, id }: Upload, chunk: Chunk): Promise<void> => {
      if (!(await bulkUploadKeep(pool, { workspace, upload: id, ...chunk }))) throw new UploadLost()
    },

    /** Says that its process lives, while its sender is slow. */
    markUploadAlive: (upload: Upload): Promise<unknown> => markUploadAlive(pool, upload),

    /** Removes it with its chunks; nothing where an import has them. */
    forgetUpload: ({ workspace, id }: Upload): Promise<void> =>
      inWorkspace(pool, workspace, (db) => bulkUploadForget(db, { workspace, upload: id })),
  }
}

// Each is a core's time and, of its rows' hashes, up to 50 MB: a fifth one waits until its sender comes again.
const MOST_AT_ONCE = 4
const ALIVE_EVERY_MS = 15_000 // an upload that said nothing for a minute is taken for dead

export type UploadContext = {
  pool: Pool
  commands: ReturnType<typeof uploadCommands>
  workspace: string
  now: Date
  log: Logger
}

/**
 * Checks a file as it comes and keeps its good chunks in the database, each in a transaction of its own,
 * where no import has them. `then` makes the import of them; whatever it does not take is removed. Refuses
 * with too_many_requests where the workspace sends so many at once.
 */
export async function keepUpload<T>(
  lines: () => AsyncIterable<ImportLine>,
  { commands, log, ...context }: UploadContext,
  then: (checked: ImportCheck, upload: CheckedUpload) => Promise<T>,
): Promise<T> {
  const upload = { workspace: context.workspace, id: newId('upl') }
  if (!(await retryOnConflict(() => commands.openUpload(upload, MOST_AT_ONCE)))) {
    refuse(
      'too_many_requests',
      `Only ${MOST_AT_ONCE} imports at once; send it when one is through.`,
    )
  }
  const alive = setInterval(() => {
    commands
      .markUploadAlive(upload)
      .catch((error: unknown) =>
        log.warn({ err: error, upload: upload.id }, 'an upload could not say that it lives'),
      )
  }, ALIVE_EVERY_MS)
  try {
    const checked = await checkLines(lines(), context, (chunk) => commands.keepChunk(upload, chunk))
    const { chunks, decimals } = checked
    return await then(checked, { id: upload.id, chunks, decimals })
  } finally {
    clearInterval(alive)
    await commands
      .forgetUpload(upload)
      .catch((error: unknown) =>
        log.warn(
          { err: error, upload: upload.id },
          'an upload is left for the reconciler to remove',
        ),
      )
  }
}

import type { Hash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import type { CheckedUpload } from '../../app/bulk.ts'
import type { Commands } from '../../app/index.ts'
import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import type { Pool } from '../../db/pool.ts'
import { newId } from '../../domain/ids.ts'
import { refuse } from '../../domain/refusal.ts'
import { counted } from './body.ts'
import { type Checked, checkLines } from './check.ts'
import type { Line } from './lines.ts'

// Each is a core's time and, of its rows' hashes, up to 50 MB: a fifth one waits until its sender comes again.
const MOST_AT_ONCE = 4
const ALIVE_EVERY_MS = 15_000 // an upload that said nothing for a minute is taken for dead

type Context = {
  pool: Pool
  commands: Commands
  workspace: string
  now: Date
  log: Logger
}
type Reader = (source: Readable) => AsyncGenerator<Line>

/**
 * Checks a file as it comes and keeps its good chunks in the database, each in a transaction of its own,
 * where no import has them. `then` makes the import of them; whatever it does not take is removed. Refuses
 * with too_many_requests where the workspace sends so many at once.
 */
export async function uploaded<T>(
  stream: Readable,
  hash: Hash,
  lines: Reader,
  { commands, log, ...context }: Context,
  then: (checked: Checked, upload: CheckedUpload) => Promise<T>,
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
    const source = counted(stream, hash)
    source.on('error', () => {}) // its reader sees it; a reader that stopped early needs no more
    const checked = await checkLines(lines(source), context, (chunk) =>
      commands.keepChunk(upload, chunk),
    )
    source.resume() // what comes after the row that ended the reading
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

import type { Hash } from 'node:crypto'
import { once } from 'node:events'
import { close, createReadStream, createWriteStream, open } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Readable, Transform } from 'node:stream'
import { promisify } from 'node:util'
import type { Chunk } from '../../activities/bulk.ts'
import { Refused } from '../../domain/refusal.ts'
import { Outage } from '../outage.ts'
import { type Checked, checkLines } from './check.ts'
import type { Line } from './lines.ts'

// Its number, not a FileHandle: that one's close() waits for streams which leave it open.
export type SpoolFile = { readonly fd: number; close(): Promise<void> }

const CUT_SHORT = 'The body ended before its time.'
// What it keeps in a file, and of its hashes in memory, fits a small container beside another import.
export const MOST_BYTES = 200_000_000

/** Hashes what passes; ends with body_too_large beyond the most of bytes. */
export function counted(source: Readable, hash: Hash, most = MOST_BYTES): Transform {
  let bytes = 0
  const counter = new Transform({
    transform(data: Buffer, _encoding, done) {
      bytes += data.length
      if (bytes > most) return done(tooLarge(most))
      hash.update(data)
      done(null, data)
    },
  })
  source.on('error', (error) => counter.destroy(error))
  source.on('aborted', () => counter.destroy(new Outage(CUT_SHORT)))
  counter.on('close', () => source.unpipe(counter).resume()) // what comes after its end is not read
  return source.pipe(counter)
}

const tooLarge = (most: number) =>
  new Refused({ code: 'body_too_large', message: `The file has more than ${most} bytes.` })

/** A file without a name: whatever becomes of this process, nothing of it is left. */
export async function spoolFile(): Promise<SpoolFile> {
  const folder = await mkdtemp(join(tmpdir(), 'import-'))
  const fd = await promisify(open)(join(folder, 'chunks'), 'wx+')
  await rm(folder, { recursive: true, force: true })
  return { fd, close: () => promisify(close)(fd) }
}

/** Checks the stream as it comes and keeps good chunks in a file: no transaction waits for a slow sender. */
export async function spool(
  stream: Readable,
  hash: Hash,
  read: (source: Readable) => AsyncGenerator<Line>,
  file: SpoolFile,
  context: Parameters<typeof checkLines>[1],
): Promise<Checked> {
  const source = counted(stream, hash)
  source.on('error', () => {}) // its reader sees it; a reader that stopped early needs no more
  const out = createWriteStream('', { fd: file.fd, autoClose: false })
  const checked = await checkLines(read(source), context, async ({ no, rows }) => {
    if (!out.write(`${no} ${rows}\n`)) await once(out, 'drain')
  })
  out.end()
  await once(out, 'finish') // it is not closed: what it wrote is read next
  source.resume() // what comes after the row that ended the reading
  return checked
}

/** Reads the stream to its end for its hash alone. */
export async function hashed(stream: Readable, hash: Hash): Promise<void> {
  try {
    for await (const _ of counted(stream, hash));
  } catch (error) {
    if (error instanceof Refused) throw error
    throw new Outage(CUT_SHORT, error)
  }
}

/** Opened when it is first asked for a line: readline drops those that nobody waits for. */
export async function* chunksOf(file: SpoolFile): AsyncGenerator<Chunk> {
  const input = createReadStream('', { fd: file.fd, start: 0, autoClose: false })
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const numberEnd = line.indexOf(' ')
    yield { no: Number(line.slice(0, numberEnd)), rows: line.slice(numberEnd + 1) }
  }
}

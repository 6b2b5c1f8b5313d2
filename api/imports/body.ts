import type { Hash } from 'node:crypto'
import { type Readable, Transform } from 'node:stream'
import { Unavailable } from '../../app/unavailable.ts'
import { Refused } from '../../domain/refusal.ts'

const CUT_SHORT = 'The body ended before its time.'
// A million rows with their notes; its chunks take as much of the database until they are written.
const MOST_BYTES = 200_000_000

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
  source.on('aborted', () => counter.destroy(new Unavailable(CUT_SHORT)))
  counter.on('close', () => source.unpipe(counter).resume()) // what comes after its end is not read
  return source.pipe(counter)
}

const tooLarge = (most: number) =>
  new Refused({ code: 'body_too_large', message: `The file has more than ${most} bytes.` })

/** Reads the stream to its end for its hash alone. */
export async function hashed(stream: Readable, hash: Hash): Promise<void> {
  try {
    for await (const _ of counted(stream, hash));
  } catch (error) {
    if (error instanceof Refused) throw error
    throw new Unavailable(CUT_SHORT, error)
  }
}

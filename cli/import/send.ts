import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable, Transform } from 'node:stream'
import { z } from 'zod'
import { draw, endBar } from './bar.ts'
import { mediaType } from './media-type.ts'
import { ask, type Server } from './server.ts'

export const Import = z.object({
  id: z.string(),
  batch: z.string(),
  status: z.string(),
  total: z.number(),
  posted: z.number(),
  refused: z.number(),
  refusals: z.array(z.object({ line: z.number(), code: z.string() })),
})
export type Import = z.output<typeof Import>

/** The same file with the same tag has the same key: a second run of the command follows the first one's import. */
export async function keyOf(file: string, batch: string | undefined): Promise<string> {
  const hash = createHash('sha256').update(`${batch ?? ''}\n`)
  const bytes: AsyncIterable<Buffer> = createReadStream(file)
  for await (const chunk of bytes) hash.update(chunk)
  return `file-${hash.digest('base64url')}`
}

/** Sends the file as a stream; answers the import as the server has it, new or from an earlier run. */
export async function send(
  server: Server,
  file: string,
  { batch, key }: { batch: string | undefined; key: string },
): Promise<Import> {
  const type = mediaType(file)
  if (type === undefined) throw new Error(`${file} has the name of no format that can be imported.`)
  const { size } = await stat(file)
  const query = batch === undefined ? '' : `?batch=${encodeURIComponent(batch)}`
  const body = await ask(server, `/v1/loyalty/imports${query}`, () => ({
    method: 'POST',
    headers: { 'Content-Type': type, 'Idempotency-Key': key },
    body: counted(file, size),
    duplex: 'half',
  })).finally(endBar)
  return Import.parse(body)
}

function counted(file: string, size: number): ReadableStream {
  let read = 0
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      read += chunk.length
      draw('checking', read, size)
      done(null, chunk)
    },
  })
  return Readable.toWeb(createReadStream(file).pipe(counter))
}

import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'

const USAGE =
  'usage: npm run import -- <file.csv|file.ndjson> [--batch <tag>] [--key <Idempotency-Key>]\n' +
  'The server: VINR_BASE_URL and VINR_SECRET_KEY, else the stack of this folder (DATA_DIR).'
const TYPES: Readonly<Record<string, string>> = {
  '.csv': 'text/csv; charset=utf-8',
  '.ndjson': 'application/x-ndjson',
  '.jsonl': 'application/x-ndjson',
}
const LOOK_EVERY_MS = 500
const BAR = 30
const MOST_PRINTED = 20

const Import = z.object({
  id: z.string(),
  batch: z.string(),
  status: z.string(),
  total: z.number(),
  posted: z.number(),
  refused: z.number(),
  refusals: z.array(z.object({ line: z.number(), code: z.string() })),
})
const Failure = z.object({
  error: z.object({
    message: z.string(),
    errors: z.array(z.object({ line: z.number(), message: z.string() })).default([]),
  }),
})
const Stack = z.object({ apiUrl: z.string(), apiKey: z.string() })

type Server = { url: string; key: string }

/** `npm run import -- <file>`: sends a file of movements and shows how far it is. Exit 1: refused, or rows refused. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { batch: { type: 'string' }, key: { type: 'string' } },
    allowPositionals: true,
  })
  const [file] = positionals
  const type = TYPES[extname(file ?? '').toLowerCase()]
  if (file === undefined || type === undefined || positionals.length > 1) throw new Error(USAGE)
  const server = await serverOf(process.env)
  const sent = await send(server, file, type, values)
  const done = await followed(server, sent.id)
  for (const { line, code } of done.refusals.slice(0, MOST_PRINTED))
    console.log(`line ${line}: ${code}`)
  console.log(
    `${done.id}: ${done.posted} rows written, ${done.refused} refused, batch ${done.batch}`,
  )
  if (done.refused > 0) process.exitCode = 1
}

async function serverOf(env: NodeJS.ProcessEnv): Promise<Server> {
  const { VINR_BASE_URL: url, VINR_SECRET_KEY: key } = env
  if (url && key) return { url, key }
  const file = join(env.DATA_DIR || '.data', 'stack.json')
  const stack = Stack.parse(JSON.parse(await readFile(file, 'utf8')))
  return { url: url || stack.apiUrl, key: key || stack.apiKey }
}

async function send(
  { url, key }: Server,
  file: string,
  type: string,
  given: { batch?: string; key?: string },
) {
  const { size } = await stat(file)
  let read = 0
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      read += chunk.length
      draw('checking', read, size)
      done(null, chunk)
    },
  })
  const query = given.batch === undefined ? '' : `?batch=${encodeURIComponent(given.batch)}`
  const response = await fetch(`${url}/v1/loyalty/imports${query}`, {
    method: 'POST',
    headers: {
      'X-Api-Key': key,
      'Content-Type': type,
      ...(given.key !== undefined && { 'Idempotency-Key': given.key }),
    },
    body: Readable.toWeb(createReadStream(file).pipe(counted)),
    duplex: 'half',
  })
  const body: unknown = await response.json()
  if (response.ok) return Import.parse(body)
  const { error } = Failure.parse(body)
  const lines = error.errors
    .slice(0, MOST_PRINTED)
    .map(({ line, message }) => `  line ${line}: ${message}`)
  throw new Error(['', error.message, ...lines].join('\n'))
}

async function followed({ url, key }: Server, id: string) {
  for (;;) {
    const response = await fetch(`${url}/v1/loyalty/imports/${id}`, {
      headers: { 'X-Api-Key': key },
    })
    const state = Import.parse(await response.json())
    draw(state.status, state.posted + state.refused, state.total)
    if (state.status === 'completed') {
      process.stdout.write('\n')
      return state
    }
    await delay(LOOK_EVERY_MS)
  }
}

function draw(what: string, done: number, total: number): void {
  if (!process.stdout.isTTY) return
  const part = total === 0 ? 1 : done / total
  const bar = '#'.repeat(Math.round(part * BAR)).padEnd(BAR, '.')
  process.stdout.write(
    `\r${what.padEnd(10)} [${bar}] ${Math.floor(part * 100)}% ${done}/${total}  `,
  )
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})

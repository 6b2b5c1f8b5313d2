import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import type { ImportFile } from './import.ts'

const Import = z.object({
  id: z.string(),
  batch: z.string(),
  status: z.string(),
  total: z.number(),
  posted: z.number(),
  refused: z.number(),
  refusals: z.array(z.object({ line: z.number(), code: z.string() })),
})
type Import = z.output<typeof Import>

const CHECK_EVERY_MS = 500
const MOST_PRINTED = 20
const INTERRUPTED = 130 // as a shell says it of Ctrl-C

/**
 * Sends a file of movements and shows how far it is. False where rows were refused, or
 * the import was canceled; throws where the file was.
 */
export async function importFile(
  file: ImportFile,
  { batch, key: given }: { batch: string | undefined; key: string | undefined },
): Promise<boolean> {
  const server = await serverOf(process.env)
  const key = given ?? (await keyOf(file.path, batch))
  onInterrupt('Run the same command again: whatever arrived, no row is imported twice.')
  const sent = await send(server, file, { batch, key })
  console.log(`${sent.id}: ${sent.total} rows are good, batch ${sent.batch}`)
  onInterrupt('The server goes on. Run the same command again to follow it.')
  const done = await followed(server, sent)
  for (const { line, code } of done.refusals.slice(0, MOST_PRINTED)) {
    console.log(`line ${line}: ${code}`)
  }
  console.log(`${done.id}: ${done.posted} rows written, ${done.refused} refused`)
  if (done.status === 'canceled')
    console.log(`${done.id} was canceled: the other rows are not written`)
  return done.refused === 0 && done.status !== 'canceled'
}

async function followed(server: Server, sent: Import): Promise<Import> {
  let state = sent
  while (state.status === 'running' || state.status === 'paused') {
    draw(state.status, state.posted + state.refused, state.total)
    await delay(CHECK_EVERY_MS)
    state = Import.parse(await ask(server, `/v1/loyalty/imports/${sent.id}`, () => ({})))
  }
  draw(state.status, state.posted + state.refused, state.total)
  endBar()
  return state
}

function onInterrupt(meaning: string): void {
  process.removeAllListeners('SIGINT')
  process.once('SIGINT', () => {
    endBar()
    console.error(meaning)
    process.exit(INTERRUPTED)
  })
}

/** The same file with the same tag has the same key: a second run of the command follows the first one's import. */
async function keyOf(file: string, batch: string | undefined): Promise<string> {
  const hash = createHash('sha256').update(`${batch ?? ''}\n`)
  const bytes: AsyncIterable<Buffer> = createReadStream(file)
  for await (const chunk of bytes) hash.update(chunk)
  return `file-${hash.digest('base64url')}`
}

/** Sends the file as a stream; answers the import as the server has it, new or from an earlier run. */
async function send(
  server: Server,
  { path, type }: ImportFile,
  { batch, key }: { batch: string | undefined; key: string },
): Promise<Import> {
  const { size } = await stat(path)
  const query = batch === undefined ? '' : `?batch=${encodeURIComponent(batch)}`
  const body = await ask(server, `/v1/loyalty/imports${query}`, () => ({
    method: 'POST',
    headers: { 'Content-Type': type, 'Idempotency-Key': key },
    body: counted(path, size),
    duplex: 'half',
  })).finally(endBar)
  return Import.parse(body)
}

function counted(path: string, size: number): ReadableStream {
  let read = 0
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      read += chunk.length
      draw('checking', read, size)
      done(null, chunk)
    },
  })
  return Readable.toWeb(createReadStream(path).pipe(counter))
}

type Server = { url: string; key: string }
type RequestOptions = Omit<RequestInit, 'headers'> & { headers?: Record<string, string> }

const Stack = z.object({ apiUrl: z.string(), apiKey: z.string() })
const Failure = z.object({
  error: z.object({
    message: z.string(),
    error_count: z.number().default(0),
    errors: z.array(z.object({ line: z.number(), message: z.string() })).default([]),
  }),
})

const RETRIES = 60 // a second apart: a server that restarts is back by then
const RETRY_AFTER_MS = 1_000

/** The server that the environment names, else the stack of this folder. */
async function serverOf(env: NodeJS.ProcessEnv): Promise<Server> {
  const { VINR_BASE_URL: url, VINR_SECRET_KEY: key } = env
  if (url && key) return { url, key }
  const file = join(env.DATA_DIR || '.data', 'stack.json')
  const text = await readFile(file, 'utf8').catch(() => {
    throw new Error(`There is no ${file}: run npm start, or set VINR_BASE_URL and VINR_SECRET_KEY.`)
  })
  const stack = Stack.parse(JSON.parse(text))
  return { url: url || stack.apiUrl, key: key || stack.apiKey }
}

/** The body of a 2xx; asks again where the server is away or busy, which is safe: the key makes it one request. */
async function ask(
  { url, key }: Server,
  path: string,
  request: () => RequestOptions,
): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    const { headers, ...rest } = request()
    const answer = await fetch(`${url}${path}`, {
      ...rest,
      headers: { 'X-Api-Key': key, ...headers },
    }).catch((error: unknown) => unreachable(url, error))
    const passes = answer instanceof Error || answer.status === 429 || answer.status >= 500
    if (passes && attempt < RETRIES) {
      await delay(RETRY_AFTER_MS)
      continue
    }
    if (answer instanceof Error) throw answer
    const text = await answer.text()
    if (answer.ok) return JSON.parse(text)
    throw new Error(refusal(answer.status, text))
  }
}

function unreachable(url: string, error: unknown): Error {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return new Error(`${url} cannot be reached: ${cause instanceof Error ? cause.message : cause}`)
}

/** What the server said, with the lines it named. */
function refusal(status: number, text: string): string {
  try {
    const { error } = Failure.parse(JSON.parse(text))
    const shown = error.errors.slice(0, MOST_PRINTED)
    const lines = shown.map(({ line, message }) => `  line ${line}: ${message}`)
    const more = error.error_count - shown.length
    return [error.message, ...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join('\n')
  } catch {
    return `The server answered ${status}: ${text.slice(0, 200)}`
  }
}

const WIDTH = 30

/** How far something is, in one line: `writing    [########......] 57% 570/1000`. */
export function bar(what: string, done: number, total: number): string {
  const part = total === 0 ? 1 : Math.min(done / total, 1)
  const filled = '#'.repeat(Math.floor(part * WIDTH)).padEnd(WIDTH, '.')
  return `${what.padEnd(10)} [${filled}] ${Math.floor(part * 100)}% ${done}/${total}`
}

/** Draws it over itself on a terminal; elsewhere, in a log, it would only fill lines. */
function draw(what: string, done: number, total: number): void {
  if (process.stdout.isTTY) process.stdout.write(`\r${bar(what, done, total)}\u001B[K`)
}

function endBar(): void {
  if (process.stdout.isTTY) process.stdout.write('\n')
}

import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { draw, endBar } from './import/bar.ts'
import { Import, keyOf, mediaType, send } from './import/send.ts'
import { ask, type Server, serverOf } from './import/server.ts'

const USAGE =
  'usage: npm run import -- <file.csv|file.ndjson> [--batch <tag>] [--key <Idempotency-Key>]\n' +
  'The server: VINR_BASE_URL and VINR_SECRET_KEY, else the stack of this folder (DATA_DIR).\n' +
  'The same file with the same tag is imported once: run it again to follow it. Another --key imports it anew.'
const LOOK_EVERY_MS = 500
const MOST_PRINTED = 20
const INTERRUPTED = 130 // as a shell says it of Ctrl-C

/** `npm run import -- <file>`: sends a file of movements and shows how far it is. Exit 1: refused, or rows refused. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { batch: { type: 'string' }, key: { type: 'string' } },
    allowPositionals: true,
  })
  const [file, ...others] = positionals
  const type = file === undefined ? undefined : mediaType(file)
  if (file === undefined || type === undefined || others.length > 0) throw new Error(USAGE)
  const server = await serverOf(process.env)
  const { batch, key = await keyOf(file, batch) } = values
  onInterrupt('Run the same command again: whatever arrived, no row is imported twice.')
  const sent = await send(server, file, type, { batch, key })
  console.log(`${sent.id}: ${sent.total} rows are good, batch ${sent.batch}`)
  onInterrupt('The server goes on. Run the same command again to follow it.')
  const done = await followed(server, sent)
  for (const { line, code } of done.refusals.slice(0, MOST_PRINTED)) {
    console.log(`line ${line}: ${code}`)
  }
  console.log(`${done.id}: ${done.posted} rows written, ${done.refused} refused`)
  if (done.status === 'canceled')
    console.log(`${done.id} was canceled: the other rows are not written`)
  if (done.refused > 0 || done.status === 'canceled') process.exitCode = 1
}

async function followed(server: Server, sent: Import): Promise<Import> {
  let state = sent
  while (state.status === 'running' || state.status === 'paused') {
    draw(state.status, state.posted + state.refused, state.total)
    await delay(LOOK_EVERY_MS)
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

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})

import { setTimeout as delay } from 'node:timers/promises'
import { draw, endBar } from './import/bar.ts'
import { Import, keyOf, send } from './import/send.ts'
import { ask, type Server, serverOf } from './import/server.ts'

const CHECK_EVERY_MS = 500
const MOST_PRINTED = 20
const INTERRUPTED = 130 // as a shell says it of Ctrl-C

/**
 * `vinr import <file>`: sends a file of movements and shows how far it is. False where rows were refused, or
 * the import was canceled; throws where the file was.
 */
export async function importFile(
  file: string,
  { batch, key: given }: { batch: string | undefined; key: string | undefined },
): Promise<boolean> {
  const server = await serverOf(process.env)
  const key = given ?? (await keyOf(file, batch))
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

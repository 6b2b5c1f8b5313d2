import { mkdirSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { tryLock } from './lock.ts'
import { type Progress, startProgress } from './progress.ts'
import { closeOnSignals, recordChildren, stopOrphans } from './stack/closing.ts'
import { withdrawContract } from './stack/contract.ts'
import { run } from './stack/run.ts'

/**
 * `npm start`: Postgres, Temporal, the schema, the demo data, the worker and the API, on this
 * machine only. Honours PORT, DATA_DIR and HOLD_MINUTES, and passes on whatever else the API and
 * the worker read from the environment. With `--watch`, as `npm run dev` has it, worker and API start
 * again after each change of their code.
 */
async function main(progress: Progress) {
  const dataDir = resolve(process.env.DATA_DIR || '.data')
  mkdirSync(join(dataDir, 'logs'), { recursive: true })
  const processes = join(dataDir, 'processes.json')
  takeLock(dataDir)
  withdrawContract(dataDir)
  const closing = closeOnSignals(progress, () => withdrawContract(dataDir))
  try {
    await stopOrphans(processes, progress.line)
    recordChildren(processes)
    const watched = process.argv.includes('--watch')
    await run(dataDir, process.env, progress, { closing: closing.signal, watched })
  } catch (error) {
    if (closing.signal.aborted) return // it failed because it was being stopped
    progress.line(error instanceof Error ? error.message : String(error))
    await closing.close(1)
  }
}

/** One stack to a data directory: two would fight over its files. */
function takeLock(dataDir: string) {
  const lock = tryLock(join(dataDir, 'stack.lock'))
  if ('release' in lock) return
  const folder = relative(process.cwd(), dataDir) || dataDir
  process.stderr.write(
    `A stack already runs on ${folder} (process ${lock.heldBy.pid}); its addresses are in ` +
      `${join(folder, 'stack.json')}.\nStop it with Ctrl-C, or give this one a DATA_DIR of its own.\n`,
  )
  process.exit(1)
}

await main(startProgress())

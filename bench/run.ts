import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { tryLock } from '../dev/lock.ts'
import { startPostgres } from '../dev/postgres.ts'
import { recordChildren, stopOrphans } from '../dev/stack/closing.ts'
import type { Contender } from './contender.ts'
import { thisMachine, versionsOf } from './machine.ts'
import { rerunUnderNewerNode } from './node-version.ts'
import { type Options, parseOptions, type SuiteName } from './options.ts'
import type { Place } from './place.ts'
import { prove } from './prove.ts'
import { renderResults } from './render.ts'
import { asResults, writeResult } from './results.ts'
import { playRounds } from './rounds.ts'
import { timeStart } from './start.ts'
import { timeStopped } from './stopped.ts'
import {
  create,
  createSustained,
  cycle,
  cycleSustained,
  debit,
  PROVED,
  type Suite,
} from './suites.ts'

/** `npm run bench`: everything in one run, on one Postgres, each contender alone in its turn. */

const HOLD_MS = 30 * 60_000 // the product's default; no turn lasts as long, so no timer fires in one
const WARM_UP_MS = 1_000

const LOADS: Partial<Record<SuiteName, Suite>> = {
  create,
  cycle,
  'create-sustained': createSustained,
  'cycle-sustained': cycleSustained,
  debit,
}

async function main(options: Options): Promise<void> {
  if (!existsSync(join(import.meta.dirname, 'peers', 'node_modules'))) {
    throw new Error('The peers are not installed: npm ci --prefix bench/peers')
  }
  const onProgress = (line: string) => void process.stdout.write(`${line}\n`)
  const scratch = await emptyScratch(resolve(process.env.DATA_DIR || '.data', 'bench'), onProgress)
  const postgres = await startPostgres({ dataDir: join(scratch, 'postgres') })
  const place: Place = { adminUrl: postgres.adminUrl, scratch, onProgress }
  try {
    for (const name of options.suites) {
      onProgress(`\n${name}`)
      await runSuite(name, place, options)
    }
  } finally {
    await postgres.stop()
    rmSync(scratch, { recursive: true, force: true })
  }
  if (options.keep) renderResults()
}

/** A folder for this run alone, after clearing away what a killed one left there and running. */
async function emptyScratch(folder: string, onProgress: (line: string) => void): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const lock = tryLock(join(folder, 'bench.lock'))
  if ('heldBy' in lock) throw new Error(`A bench already runs (process ${lock.heldBy.pid})`)
  const processes = join(folder, 'processes.json')
  await stopOrphans(processes, onProgress)
  recordChildren(processes)
  const scratch = join(folder, 'data')
  rmSync(scratch, { recursive: true, force: true })
  mkdirSync(scratch)
  return scratch
}

async function runSuite(name: SuiteName, place: Place, options: Options): Promise<void> {
  const load = LOADS[name]
  if (load !== undefined) return await runLoad(load, place, options)
  if (name === 'prove') return await prove(place, chosen(PROVED, options.only))
  const result =
    name === 'start'
      ? await timeStart(place, options.rounds)
      : await timeStopped(place, options.seconds * 1_000)
  const date = new Date().toISOString()
  if (options.keep) writeResult(name, { date, machine: thisMachine(), ...result })
}

async function runLoad(suite: Suite, place: Place, options: Options): Promise<void> {
  const { sustained = false, short } = suite
  const ownLevels = options.short ? short.levels : suite.levels
  const settings = {
    rounds: sustained ? 1 : options.rounds,
    levels: options.levels.length > 0 ? options.levels : ownLevels,
    warmUpMs: WARM_UP_MS,
    durationMs: (sustained ? options.sustainedSeconds : options.seconds) * 1_000,
    members: options.members,
    holdMs: HOLD_MS,
    sustained,
  }
  const named = chosen(suite.contenders, options.only)
  const contenders = options.short ? chosen(named, short.contenders) : named
  const rounds = await playRounds(place, contenders, settings, suite.play)
  if (!options.keep) return
  writeResult(suite.name, {
    suite: suite.name,
    date: new Date().toISOString(),
    machine: thisMachine(),
    versions: await versionsOf(place.adminUrl),
    settings,
    contenders: asResults(rounds),
  })
}

/** Those of these names; all where none is named. */
function chosen(contenders: Contender[], names: string[]): Contender[] {
  return contenders.filter(({ name }) => names.length === 0 || names.includes(name))
}

const options = parseOptions(process.argv.slice(2))
const rerun = await rerunUnderNewerNode()
if (rerun === null) {
  // Ending by exit lets every child be told; a signal's default would leave them behind.
  process.on('SIGINT', () => process.exit(130))
  process.on('SIGTERM', () => process.exit(143))
  await main(options)
} else {
  process.exitCode = rerun
}

import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../dev/postgres.ts'
import { checkOut, subjectOf } from './commit.ts'
import { type BeforeResult, compare, describeComparison } from './compare.ts'
import { ours, productOf } from './contenders/ours.ts'
import { thisMachine } from './machine.ts'
import { rerunUnderNewerNode } from './node-version.ts'
import { renderResults } from './render.ts'
import { asResults, writeResult } from './results.ts'
import { playRounds } from './rounds.ts'
import { create, cycle } from './suites.ts'

/**
 * `npm run bench:before -- <commit>`: redemptions, and whole cycles, of this code beside that of an earlier
 * commit, in interleaved rounds: what one costs in CPU time, the engine's share included.
 */

const HOLD_MS = 30 * 60_000 // the product's default: no timer fires meanwhile
const IN_FLIGHT = 16
const WARM_UP_MS = 1_000
const MEMBERS = 1_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '6' },
    dry: { type: 'boolean', default: false },
  },
})
const [commit = 'HEAD~1'] = positionals
const rerun = await rerunUnderNewerNode()
if (rerun !== null) process.exit(rerun)

const onProgress = (line: string) => void process.stdout.write(`${line}\n`)
const scratch = resolve(process.env.DATA_DIR || '.data', `bench-before-${process.pid}`)
mkdirSync(scratch, { recursive: true })
const before = productOf(
  'before',
  subjectOf(commit),
  await checkOut(commit, join(scratch, 'before')),
)
const postgres = await startPostgres({ dataDir: join(scratch, 'postgres') })
try {
  const place = { adminUrl: postgres.adminUrl, scratch, onProgress }
  const settings = {
    rounds: Number(values.rounds),
    levels: [IN_FLIGHT],
    warmUpMs: WARM_UP_MS,
    durationMs: Number(values.seconds) * 1_000,
    members: MEMBERS,
    holdMs: HOLD_MS,
    sustained: false,
  }
  const result: BeforeResult = {
    date: new Date().toISOString(),
    machine: thisMachine(),
    commit: before.title,
    settings,
    suites: [],
  }
  for (const suite of [create, cycle]) {
    onProgress(`\n${suite.title}`)
    const rounds = asResults(await playRounds(place, [before, ours], settings, suite.play))
    const comparison = compare(suite.title, rounds)
    onProgress(describeComparison(comparison))
    result.suites.push(comparison)
  }
  if (!values.dry) {
    writeResult('before', result)
    renderResults()
  }
} finally {
  await postgres.stop()
  rmSync(scratch, { recursive: true, force: true })
}

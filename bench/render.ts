import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BeforeResult } from './compare.ts'
import { median } from './load.ts'
import type { Machine } from './machine.ts'
import type { RequestLogResult } from './request-log.ts'
import {
  type ContenderResult,
  CPU_PARTS,
  type CpuPart,
  cpuOf,
  ratio,
  readResult,
  type SuiteResult,
  typical,
} from './results.ts'
import type { StartResult } from './start.ts'
import { REQUEST_NAMES, REQUESTS, type StoppedResult } from './stopped.ts'
import { create, createSustained, cycle, cycleSustained, debit, type Suite } from './suites.ts'
import { type AllResults, busiest, TARGETS, verdict } from './targets.ts'

const FILE = join(import.meta.dirname, 'RESULTS.md')

/** Writes RESULTS.md from the latest run of each suite. */
export function renderResults(): void {
  const start = readResult<StartResult & { date: string; machine: Machine }>('start')
  const stopped = readResult<StoppedResult & { date: string; machine: Machine }>('stopped')
  const before = readResult<BeforeResult>('before')
  const requestLog = readResult<RequestLogResult>('request-log')
  const results = {
    create: readResult<SuiteResult>('create'),
    cycle: readResult<SuiteResult>('cycle'),
    'create-sustained': readResult<SuiteResult>('create-sustained'),
    'cycle-sustained': readResult<SuiteResult>('cycle-sustained'),
    debit: readResult<SuiteResult>('debit'),
    stopped,
    start,
  }
  const sections = [
    '# Results',
    'Rendered by `npm run bench`; README.md says what is measured, how, and what that leaves out.',
    targetSection(results),
    ...[create, createSustained, cycle, cycleSustained, debit].map((suite) =>
      loadSection(suite, readResult(suite.name)),
    ),
    stopped === null ? '' : stoppedSection(stopped),
    start === null ? '' : startSection(start),
    before === null ? '' : beforeSection(before),
    requestLog === null ? '' : requestLogSection(requestLog),
  ]
  writeFileSync(FILE, `${sections.filter((section) => section !== '').join('\n\n')}\n`)
}

function targetSection(results: AllResults): string {
  const rows = TARGETS.map((target) => {
    const value = target.value(results)
    return [target.what, bound(target), figure(value, target.unit), verdict(target, results)]
  })
  return `## Figures to reach\n\n${table(['ours', 'goal', 'measured', ''], rows)}`
}

function figure(value: number, unit = ''): string {
  if (Number.isNaN(value)) return ''
  return Number.isFinite(value) ? `${value.toFixed(2)}${unit}` : 'refused'
}

function bound({ atLeast, atMost, unit = '' }: (typeof TARGETS)[number]): string {
  if (atLeast !== undefined) return `at least ${atLeast}${unit}`
  return atMost === undefined ? '' : `at most ${atMost}${unit}`
}

function loadSection(suite: Suite, result: SuiteResult | null): string {
  if (result === null) return ''
  const { settings, machine } = result
  const ours = result.contenders.find(({ name }) => name === 'ours')
  const blocks = settings.levels.map((level) => levelTable(result.contenders, ours, level))
  return [
    `## ${suite.title}`,
    `${day(result.date)}. ${describe(machine)}. ${versions(result.versions)}.`,
    `Median of ${settings.rounds === 1 ? 'one round' : `${settings.rounds} rounds`} of ` +
      `${settings.durationMs / 1_000} s, ` +
      `${settings.members} members; other processes took up to ` +
      `${(busiest(result) * 100).toFixed(0)}% of the CPUs before a turn. ` +
      `Ratios are ours to theirs, the median of the rounds' own.`,
    ...(suite === create || suite === cycle ? [BURST] : []),
    ...(suite.sustained ? [SUSTAINED] : []),
    ...blocks,
    ...(suite === debit || ours === undefined ? [] : [costTable(ours, settings.levels)]),
    ...(suite.sustained && ours !== undefined ? [looksTable(ours)] : []),
    result.contenders.map(({ name, title }) => `- \`${name}\`: ${title}`).join('\n'),
  ].join('\n\n')
}

const BURST =
  'A burst: what counts is the answer, or the row that says applied. Our answers leave the ' +
  "engine's share (starting the run, ending it) to the seconds after, as the table of our own costs " +
  'says; DBOS and Restate have done it when they answer. CPU is counted until the engine has done ' +
  'its share as well.'

const SUSTAINED =
  'Counted is what was answered (or applied) and whose run the engine had started (or completed) by ' +
  "the end of the window, by Temporal's own count. For DBOS and Restate an answer implies the timer, " +
  'and `applied` is written by the workflow itself: there the answer, or `applied`, counts.'

/** What one of our tasks costs and where, and how far the engine is behind when the load ends. */
function costTable(ours: ContenderResult, levels: number[]): string {
  const parts = Object.keys(CPU_PARTS) as CpuPart[]
  const rows = levels.map((level) => {
    const behind = ours.rounds.flatMap(({ samples }) =>
      samples.flatMap((sample) => (sample.inFlight === level ? (sample.behind ?? []) : [])),
    )
    const middle = (values: number[], digits: number) => median(values).toFixed(digits)
    return [
      `${level} in flight`,
      ...parts.map((part) => cpuOf(ours, level, [part]).toFixed(2)),
      cpuOf(ours, level, null).toFixed(2),
      middle(
        behind.map(({ waiting }) => waiting),
        0,
      ),
      middle(
        behind.map(({ oldestMs }) => oldestMs / 1_000),
        1,
      ),
      middle(
        behind.map(({ settledMs }) => settledMs / 1_000),
        1,
      ),
    ]
  })
  const head = [
    '`ours`, CPU ms a task',
    'Postgres',
    'Temporal',
    'worker',
    'API',
    'all',
    'outbox at the end',
    'oldest s',
    'done after s',
  ]
  return table(head, rows)
}

const LOOKS_SHOWN_EVERY_S = 10

/** The outbox over a sustained load. */
function looksTable({ rounds }: ContenderResult): string {
  const looks = rounds[0]?.samples[0]?.looks ?? []
  const shown = looks.filter(({ second }) => second % LOOKS_SHOWN_EVERY_S === 0)
  return table(
    ['outbox after', ...shown.map(({ second }) => `${second} s`)],
    [
      ['rows waiting', ...shown.map(({ waiting }) => String(waiting))],
      ['oldest, s', ...shown.map(({ oldestMs }) => (oldestMs / 1_000).toFixed(1))],
    ],
  )
}

function stoppedSection(result: StoppedResult & { date: string; machine: Machine }): string {
  const rows = REQUESTS.flatMap((kind) =>
    (['running', 'stopped'] as const).map((state) => {
      const { p50, p90, p99, completed, refused } = result[state][kind]
      const refusals = Object.entries(refused).map(([status, times]) => `${times} x ${status}`)
      return [
        `${REQUEST_NAMES[kind]}, Temporal ${state}`,
        ...[p50, p90, p99].map((ms) => ms.toFixed(1)),
        String(completed),
        refusals.join(', ') || 'none',
      ]
    }),
  )
  const head = ['', 'p50 ms', 'p90 ms', 'p99 ms', 'requests', 'refused']
  return [
    '## With Temporal stopped',
    `${day(result.date)}. ${describe(result.machine)}.`,
    `The same requests, 4 in flight, with Temporal running and stopped where it stands (SIGSTOP). ` +
      `Other processes took ${(result.busyBefore * 100).toFixed(0)}% of the CPUs before.`,
    table(head, rows),
  ].join('\n\n')
}

function levelTable(
  contenders: ContenderResult[],
  ours: ContenderResult | undefined,
  level: number,
): string {
  const rows = contenders.map((contender) => {
    const [slowest, fastest] = spread(contender, level)
    return [
      `\`${contender.name}\``,
      typical(contender, level, 'throughput').toFixed(0),
      `${slowest.toFixed(0)} to ${fastest.toFixed(0)}`,
      typical(contender, level, 'p50').toFixed(1),
      typical(contender, level, 'p90').toFixed(1),
      typical(contender, level, 'p99').toFixed(1),
      typical(contender, level, 'cpuMs').toFixed(2),
      ours === undefined ? '' : ratio(ours, contender, level, 'throughput').toFixed(2),
      ours === undefined ? '' : ratio(ours, contender, level, 'p50').toFixed(2),
      ours === undefined ? '' : ratio(ours, contender, level, 'cpuMs').toFixed(2),
    ]
  })
  const head = [
    '',
    'per second',
    'rounds',
    'p50 ms',
    'p90 ms',
    'p99 ms',
    'CPU ms',
    'ratio per second',
    'ratio p50',
    'ratio CPU',
  ]
  return `### ${level} in flight\n\n${table(head, rows)}`
}

function spread({ rounds }: ContenderResult, level: number): [number, number] {
  const values = rounds.flatMap(({ samples }) =>
    samples.filter(({ inFlight }) => inFlight === level).map(({ throughput }) => throughput),
  )
  return [Math.min(...values), Math.max(...values)]
}

function startSection(start: StartResult & { date: string; machine: Machine }): string {
  const again = start.again.map((seconds) => seconds.toFixed(1)).join(', ')
  return [
    '## From `npm start` to ready',
    `${day(start.date)}. ${describe({ ...start.machine, node: start.node })}.`,
    `Other processes took ${(start.busyBefore * 100).toFixed(0)}% of the CPUs before. ` +
      `On an empty data directory ${start.first.toFixed(1)} s; then ${again} s.`,
  ].join('\n\n')
}

function beforeSection({ date, machine, commit, settings, suites }: BeforeResult): string {
  const rows = suites.map((suite) => [
    suite.title,
    suite.beforeMs.toFixed(2),
    suite.nowMs.toFixed(2),
    suite.median.toFixed(3),
    suite.interval.map((end) => end.toFixed(3)).join(' to '),
  ])
  return [
    '## Beside an earlier commit',
    `${day(date)}. ${describe(machine)}. Before: ${commit}.`,
    `${settings.rounds} interleaved rounds of ${settings.durationMs / 1_000} s, 16 in flight. The ratio is ` +
      `the median of the rounds' own, with the interval in which it lies in 95 of 100 runs.`,
    table(['CPU ms a task', 'before', 'now', 'ratio', 'interval'], rows),
  ].join('\n\n')
}

function requestLogSection(result: RequestLogResult): string {
  const { date, machine, settings, cpu, share, shareError } = result
  const rows = cpu.map(({ part, offMs, onMs, difference, error }) => [
    part,
    offMs.toFixed(3),
    onMs.toFixed(3),
    `${difference.toFixed(3)} ± ${error.toFixed(3)}`,
  ])
  const { pairs, rounds, creates, inFlight } = settings
  return [
    '## The request log',
    `${day(date)}. ${describe(machine)}.`,
    `CPU milliseconds of a create with the log and without: ${pairs} pairs of API processes over one database, each in ` +
      `${rounds} interleaved rounds of ${creates} creates, ${inFlight} in flight; the log's writes are in it. Beside the ` +
      `difference stands its standard error, of the pairs' own. Of all that a create costs, Temporal and the worker included, the log takes ` +
      `${(share * 100).toFixed(1)} ± ${(shareError * 100).toFixed(1)}%; at most 3% is the goal.`,
    table(['', 'off', 'on', 'difference'], rows),
  ].join('\n\n')
}

function day(date: string): string {
  return date.slice(0, 10)
}

function describe(machine: Machine): string {
  const { cpu, cores, memoryGiB, system, node } = machine
  return `${cores} cores (${cpu}), ${memoryGiB} GiB, ${system}, Node ${node.replace('v', '')}`
}

function versions(all: Record<string, string>): string {
  return Object.entries(all)
    .map(([name, version]) => (version.startsWith(name) ? version : `${name} ${version}`))
    .join(', ')
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}

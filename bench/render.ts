import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Machine } from './machine.ts'
import { type ContenderResult, ratio, readResult, type SuiteResult, typical } from './results.ts'
import type { StartResult } from './start.ts'
import { create, cycle, debit, type Suite } from './suites.ts'
import { type AllResults, busiest, TARGETS, verdict } from './targets.ts'

const FILE = join(import.meta.dirname, 'RESULTS.md')

/** Writes RESULTS.md from the latest run of each suite. */
export function renderResults(): void {
  const start = readResult<StartResult & { date: string; machine: Machine }>('start')
  const results = {
    create: readResult<SuiteResult>('create'),
    cycle: readResult<SuiteResult>('cycle'),
    debit: readResult<SuiteResult>('debit'),
    start,
  }
  const sections = [
    '# Results',
    'Rendered by `npm run bench`; README.md says what is measured, how, and what that leaves out.',
    targetSection(results),
    ...[create, cycle, debit].map((suite) => loadSection(suite, readResult(suite.name))),
    start === null ? '' : startSection(start),
  ]
  writeFileSync(FILE, `${sections.filter((section) => section !== '').join('\n\n')}\n`)
}

function targetSection(results: AllResults): string {
  const rows = TARGETS.map((target) => {
    const value = target.value(results)
    return [
      target.what,
      bound(target),
      Number.isNaN(value) ? '' : `${value.toFixed(2)}${target.unit ?? ''}`,
      verdict(target, results),
    ]
  })
  return `## Figures to reach\n\n${table(['ours', 'goal', 'measured', ''], rows)}`
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
    `Median of ${settings.rounds} rounds of ${settings.durationMs / 1_000} s, ` +
      `${settings.members} members; other processes took up to ` +
      `${(busiest(result) * 100).toFixed(0)}% of the CPUs before a turn. ` +
      `Ratios are ours to theirs, the median of the rounds' own.`,
    ...blocks,
    result.contenders.map(({ name, title }) => `- \`${name}\`: ${title}`).join('\n'),
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

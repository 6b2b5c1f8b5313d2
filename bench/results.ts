import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Contender } from './contender.ts'
import { median } from './load.ts'
import type { Machine } from './machine.ts'
import type { Round, Settings } from './rounds.ts'

const FOLDER = join(import.meta.dirname, 'results')

export interface ContenderResult {
  name: string
  title: string
  rounds: Round[]
}

/** One run of one suite, as it is kept. */
export interface SuiteResult {
  suite: string
  /** ISO 8601, when it ended. */
  date: string
  machine: Machine
  versions: Record<string, string>
  settings: Settings
  contenders: ContenderResult[]
}

export function asResults(rounds: Map<Contender, Round[]>): ContenderResult[] {
  return [...rounds].map(([{ name, title }, played]) => ({ name, title, rounds: played }))
}

export function writeResult(name: string, result: object): void {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(join(FOLDER, `${name}.json`), `${JSON.stringify(result, rounded, 2)}\n`)
}

/** Null where that suite has not run yet. */
export function readResult<T>(name: string): T | null {
  try {
    return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

type Measure = 'throughput' | 'p50' | 'p90' | 'p99' | 'cpuMs'

/** What a contender did in one round; NaN where it was not measured. */
export function measured(
  result: ContenderResult,
  round: number,
  inFlight: number,
  measure: Measure,
): number {
  const samples = result.rounds[round]?.samples ?? []
  return samples.find((sample) => sample.inFlight === inFlight)?.[measure] ?? Number.NaN
}

/** Its median over the rounds; NaN where it was not measured. */
export function typical(result: ContenderResult, inFlight: number, measure: Measure): number {
  return median(result.rounds.map((_, round) => measured(result, round, inFlight, measure)))
}

/** The median of the rounds' ratios, `first` to `second`; noise that hits a whole round cancels. */
export function ratio(
  first: ContenderResult,
  second: ContenderResult,
  inFlight: number,
  measure: Measure,
): number {
  return median(
    first.rounds.map(
      (_, round) =>
        measured(first, round, inFlight, measure) / measured(second, round, inFlight, measure),
    ),
  )
}

/** Whose CPU time: as the machine's processes are called. */
export const CPU_PARTS = {
  postgres: ['postgres'],
  temporal: ['temporal'],
  worker: ['worker/main'],
  api: ['api/main'],
} as const
export type CpuPart = keyof typeof CPU_PARTS

/** The median over the rounds of the CPU milliseconds that these parts took for a task; null: all. */
export function cpuOf(result: ContenderResult, inFlight: number, parts: CpuPart[] | null): number {
  if (parts === null) return typical(result, inFlight, 'cpuMs')
  const programs = parts.flatMap((part) => CPU_PARTS[part])
  return median(
    result.rounds.map(({ samples }) => {
      const times = samples.find((sample) => sample.inFlight === inFlight)?.cpuMsByProgram
      if (times === null || times === undefined) return Number.NaN
      return programs.reduce((sum, program) => sum + (times[program] ?? 0), 0)
    }),
  )
}

/** Three decimals are more than any of this is worth. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1_000) / 1_000 : value
}

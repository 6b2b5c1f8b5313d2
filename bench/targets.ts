import { median } from './load.ts'
import {
  type ContenderResult,
  type CpuPart,
  cpuOf,
  measured,
  ratio,
  type SuiteResult,
} from './results.ts'
import type { StartResult } from './start.ts'
import { REQUEST_NAMES, REQUESTS, type Requests, type StoppedResult } from './stopped.ts'

/** The latest run of each suite; null where it has not run. */
export interface AllResults {
  create: SuiteResult | null
  cycle: SuiteResult | null
  'create-sustained': SuiteResult | null
  'cycle-sustained': SuiteResult | null
  debit: SuiteResult | null
  stopped: (StoppedResult & { date: string }) | null
  start: (StartResult & { date: string }) | null
}

/** Suites that several contenders take part in. */
type Loads = Exclude<keyof AllResults, 'stopped' | 'start'>

/** Share of the CPUs that others may use beside a turn for its figures to be judged. */
const QUIET = 0.15

/** A figure to reach; without a bound it is only shown, for the reader to judge. */
export interface Target {
  suite: keyof AllResults
  what: string
  atLeast?: number | undefined
  atMost?: number | undefined
  unit?: string
  /** NaN where it was not measured. */
  value(results: AllResults): number
}

const THROUGHPUT_AT = 16 // requests in flight
const ALONE = 1
const DEBIT_AT = 8 // connections

const SUBJECT: Record<Loads, string> = {
  create: 'Create',
  cycle: 'Full cycle',
  'create-sustained': 'Create, sustained, its run started',
  'cycle-sustained': 'Full cycle, sustained, its run completed',
  debit: 'Debit',
}

// What has a bound has it from the trial of this order of work, or from an earlier goal that was met.
export const TARGETS: Target[] = [
  alone('create', 'dbos', 'DBOS', 0.65),
  alone('create', 'restate', 'Restate, one partition', 0.5),
  alone('create', 'restate-default', 'Restate as it comes', 1),
  alone('create', 'dbos-armed', 'DBOS, the release first'),
  alone('create', 'restate-armed', 'Restate, the release first'),
  throughput('create', 'dbos', 'DBOS', 1.6),
  throughput('create', 'restate', 'Restate, one partition', 1.3),
  throughput('create', 'restate-default', 'Restate as it comes', 0.9),
  throughput('create', 'dbos-armed', 'DBOS, the release first'),
  throughput('create', 'restate-armed', 'Restate, the release first'),
  throughput('create-sustained', 'dbos', 'DBOS', 1),
  throughput('create-sustained', 'restate', 'Restate, one partition', 0.85),
  oldestAtEnd('create-sustained', 15),
  cpu('create', 'Postgres and API', ['postgres', 'api'], 2.4),
  cpu('create', 'all in', null, 5.4),
  alone('cycle', 'dbos', 'DBOS', 0.7),
  alone('cycle', 'restate', 'Restate, one partition', 0.55),
  throughput('cycle', 'dbos', 'DBOS', 1),
  throughput('cycle', 'restate', 'Restate, one partition', 0.9),
  throughput('cycle', 'restate-default', 'Restate as it comes', 0.9),
  throughput('cycle-sustained', 'dbos', 'DBOS', 0.5),
  throughput('cycle-sustained', 'restate', 'Restate, one partition', 0.4),
  oldestAtEnd('cycle-sustained'),
  cpu('cycle', 'Postgres', ['postgres'], 5),
  cpu('cycle', 'all in', null, 27),
  debits('ours', 'Debit with lots', 0.35),
  debits('ours-redemption', 'All that a redemption writes'),
  ...REQUESTS.map(
    (kind): Target => ({
      suite: 'stopped',
      what: `Temporal stopped: ${REQUEST_NAMES[kind]}, p99, to the same with Temporal running`,
      atMost: 1.5,
      value: ({ stopped }) => (stopped === null ? Number.NaN : slowdown(stopped, kind)),
    }),
  ),
  {
    suite: 'create',
    what: `Create at ${THROUGHPUT_AT} in flight: time per request, to bare start plus bare debit`,
    atMost: 1.4,
    value: ({ create }) =>
      toFloor(create, (result, round) => 1 / measured(result, round, THROUGHPUT_AT, 'throughput')),
  },
  {
    suite: 'create',
    what: 'Create alone: p50, to bare start plus bare debit',
    atMost: 1.4,
    value: ({ create }) =>
      toFloor(create, (result, round) => measured(result, round, ALONE, 'p50')),
  },
  {
    suite: 'start',
    what: '`npm start` to ready on a warm machine, median',
    atMost: 15,
    unit: ' s',
    value: ({ start }) => median(start?.again ?? []),
  },
  {
    suite: 'start',
    what: '`npm start` to ready on an empty data directory',
    unit: ' s',
    value: ({ start }) => start?.first ?? Number.NaN,
  },
]

type Verdict = 'met' | 'missed' | 'machine busy' | 'no goal' | 'not measured'

/** A figure from a busy machine is shown and not judged: the others' load is in it. */
export function verdict(target: Target, results: AllResults): Verdict {
  const value = target.value(results)
  if (Number.isNaN(value)) return 'not measured'
  const { atLeast, atMost } = target
  if (atLeast === undefined && atMost === undefined) return 'no goal'
  if (busiest(results[target.suite]) > QUIET) return 'machine busy'
  return value >= (atLeast ?? value) && value <= (atMost ?? value) ? 'met' : 'missed'
}

/** The most that others used before any turn, 0 to 1. */
export function busiest(result: AllResults[keyof AllResults]): number {
  if (result === null) return Number.NaN
  if ('busyBefore' in result) return result.busyBefore
  const rounds = result.contenders.flatMap((contender) => contender.rounds)
  return Math.max(...rounds.map((round) => round.busyBefore))
}

function throughput(suite: Loads, peer: string, name: string, atLeast?: number): Target {
  return {
    suite,
    what: `${SUBJECT[suite]}, at ${THROUGHPUT_AT} in flight: throughput, to ${name}`,
    atLeast,
    value: (results) => between(results[suite], 'ours', peer, THROUGHPUT_AT, 'throughput'),
  }
}

function alone(suite: Loads, peer: string, name: string, atMost?: number): Target {
  return {
    suite,
    what: `${SUBJECT[suite]} alone: p50, to ${name}`,
    atMost,
    value: (results) => between(results[suite], 'ours', peer, ALONE, 'p50'),
  }
}

/** CPU of one of our tasks, the engine's share after the answer included. */
function cpu(suite: Loads, of: string, parts: CpuPart[] | null, atMost: number): Target {
  return {
    suite,
    what: `${SUBJECT[suite]} at ${THROUGHPUT_AT} in flight: CPU, ${of}`,
    atMost,
    unit: ' ms',
    value: (results) => {
      const result = find(results[suite], 'ours')
      return result === undefined ? Number.NaN : cpuOf(result, THROUGHPUT_AT, parts)
    },
  }
}

function oldestAtEnd(suite: Loads, atMost?: number): Target {
  return {
    suite,
    what: `${SUBJECT[suite]}: age of the oldest outbox row at the end`,
    atMost,
    unit: ' s',
    value: (results) => {
      const rounds = find(results[suite], 'ours')?.rounds ?? []
      return median(
        rounds.map(({ samples }) => (samples[0]?.behind?.oldestMs ?? Number.NaN) / 1_000),
      )
    },
  }
}

/** Infinite where a request was refused. */
function slowdown({ running, stopped }: StoppedResult, kind: keyof Requests): number {
  if (Object.keys(stopped[kind].refused).length > 0) return Number.POSITIVE_INFINITY
  return stopped[kind].p99 / running[kind].p99
}

function debits(contender: string, name: string, atLeast?: number): Target {
  return {
    suite: 'debit',
    what: `${name} at ${DEBIT_AT} connections: throughput, to a bare guarded UPDATE and INSERT`,
    atLeast,
    value: ({ debit }) => between(debit, contender, 'bare', DEBIT_AT, 'throughput'),
  }
}

function between(
  suite: SuiteResult | null,
  first: string,
  second: string,
  inFlight: number,
  measure: 'throughput' | 'p50',
): number {
  const [one, other] = [find(suite, first), find(suite, second)]
  return one === undefined || other === undefined
    ? Number.NaN
    : ratio(one, other, inFlight, measure)
}

/** The median over the rounds of ours to the sum of both floors, by a cost that adds up. */
function toFloor(
  suite: SuiteResult | null,
  cost: (result: ContenderResult, round: number) => number,
): number {
  const ours = find(suite, 'ours')
  const start = find(suite, 'bare-start')
  const debit = find(suite, 'bare-debit')
  if (ours === undefined || start === undefined || debit === undefined) return Number.NaN
  const rounds = ours.rounds.map((_, round) => round)
  return median(
    rounds.map((round) => cost(ours, round) / (cost(start, round) + cost(debit, round))),
  )
}

function find(suite: SuiteResult | null, name: string): ContenderResult | undefined {
  return suite?.contenders.find((contender) => contender.name === name)
}

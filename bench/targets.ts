import { median } from './load.ts'
import { type ContenderResult, measured, ratio, type SuiteResult } from './results.ts'
import type { StartResult } from './start.ts'

/** The latest run of each suite; null where it has not run. */
export interface AllResults {
  create: SuiteResult | null
  cycle: SuiteResult | null
  debit: SuiteResult | null
  start: (StartResult & { date: string }) | null
}

/** Share of the CPUs that others may use beside a turn for its figures to be judged. */
const QUIET = 0.15

/** A figure to reach; without a bound it is only shown, for the reader to judge. */
export interface Target {
  suite: keyof AllResults
  what: string
  atLeast?: number
  atMost?: number
  unit?: string
  /** NaN where it was not measured. */
  value(results: AllResults): number
}

const THROUGHPUT_AT = 16 // requests in flight
const ALONE = 1
const DEBIT_AT = 8 // connections

export const TARGETS: Target[] = [
  throughput('create', 'dbos', 'DBOS', 1),
  throughput('create', 'dbos-armed', 'DBOS in our order'),
  throughput('create', 'restate', 'Restate, one partition', 0.9),
  throughput('create', 'restate-default', 'Restate as it comes', 0.9),
  throughput('create', 'restate-armed', 'Restate in our order'),
  alone('dbos', 'DBOS', 1),
  alone('dbos-armed', 'DBOS in our order'),
  alone('restate', 'Restate, one partition', 1),
  alone('restate-default', 'Restate as it comes', 1),
  alone('restate-armed', 'Restate in our order'),
  throughput('cycle', 'dbos', 'DBOS', 0.6),
  throughput('cycle', 'restate', 'Restate, one partition', 0.9),
  throughput('cycle', 'restate-default', 'Restate as it comes', 0.9),
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
  debits('ours', 'Debit with lots', 0.8),
  debits('ours-redemption', 'All that a redemption writes'),
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

export type Verdict = 'met' | 'missed' | 'machine busy' | 'no goal' | 'not measured'

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

function throughput(
  suite: 'create' | 'cycle',
  peer: string,
  name: string,
  atLeast?: number,
): Target {
  const subject = suite === 'create' ? 'Create' : 'Full cycle'
  return {
    suite,
    what: `${subject} at ${THROUGHPUT_AT} in flight: throughput, to ${name}`,
    atLeast,
    value: (results) => between(results[suite], 'ours', peer, THROUGHPUT_AT, 'throughput'),
  }
}

function alone(peer: string, name: string, atMost?: number): Target {
  return {
    suite: 'create',
    what: `Create alone: p50, to ${name}`,
    atMost,
    value: ({ create }) => between(create, 'ours', peer, ALONE, 'p50'),
  }
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

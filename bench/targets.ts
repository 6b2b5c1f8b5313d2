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

/** A figure to reach; without a bound it is only shown, for the reader to judge. */
export interface Target {
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
    what: `Create at ${THROUGHPUT_AT} in flight: time per request, to bare start plus bare debit`,
    atMost: 1.4,
    value: ({ create }) =>
      toFloor(create, (result, round) => 1 / measured(result, round, THROUGHPUT_AT, 'throughput')),
  },
  {
    what: 'Create alone: p50, to bare start plus bare debit',
    atMost: 1.4,
    value: ({ create }) =>
      toFloor(create, (result, round) => measured(result, round, ALONE, 'p50')),
  },
  debits('ours', 'Debit with lots', 0.8),
  debits('ours-redemption', 'All that a redemption writes'),
  {
    what: '`npm start` to ready on a warm machine, median',
    atMost: 15,
    unit: ' s',
    value: ({ start }) => median(start?.again ?? []),
  },
  {
    what: '`npm start` to ready on an empty data directory',
    unit: ' s',
    value: ({ start }) => start?.first ?? Number.NaN,
  },
]

/** Null without a bound, or without a measurement. */
export function isMet({ atLeast, atMost }: Target, value: number): boolean | null {
  if (Number.isNaN(value) || (atLeast === undefined && atMost === undefined)) return null
  return (
    value >= (atLeast ?? Number.NEGATIVE_INFINITY) && value <= (atMost ?? Number.POSITIVE_INFINITY)
  )
}

function throughput(
  suite: 'create' | 'cycle',
  peer: string,
  name: string,
  atLeast?: number,
): Target {
  const subject = suite === 'create' ? 'Create' : 'Full cycle'
  return {
    what: `${subject} at ${THROUGHPUT_AT} in flight: throughput, to ${name}`,
    atLeast,
    value: (results) => between(results[suite], 'ours', peer, THROUGHPUT_AT, 'throughput'),
  }
}

function alone(peer: string, name: string, atMost?: number): Target {
  return {
    what: `Create alone: p50, to ${name}`,
    atMost,
    value: ({ create }) => between(create, 'ours', peer, ALONE, 'p50'),
  }
}

function debits(contender: string, name: string, atLeast?: number): Target {
  return {
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

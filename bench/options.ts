import { parseArgs } from 'node:util'

const SUITES = [
  'prove',
  'create',
  'cycle',
  'create-sustained',
  'cycle-sustained',
  'stopped',
  'debit',
  'start',
] as const
export type SuiteName = (typeof SUITES)[number]

export interface Options {
  suites: SuiteName[]
  rounds: number
  /** Counted time of one load. */
  seconds: number
  /** Counted time of a sustained load. */
  sustainedSeconds: number
  members: number
  /** Names of the contenders that take part; empty for all. */
  only: string[]
  /** Requests in flight; empty for each suite's own. */
  levels: number[]
  /** Only the levels and contenders that the figures to reach are about. */
  short: boolean
  /** False prints the results and writes nothing. */
  keep: boolean
}

const USAGE = `npm run bench -- [${SUITES.join('|')} ...] [options]

  --rounds 3               each contender's turns; the median counts
  --seconds 6              counted time of one load
  --sustained-seconds 60   counted time of a sustained load, which is played once
  --members 1000           accounts that the load is spread over
  --short                  only the levels and contenders of the figures to reach
  --only a,b               these contenders and nobody else; nothing is written
  --levels 1,16            requests in flight; nothing is written
  --dry                    write nothing`

/** Without a suite: all of them, in this order. Throws on anything it does not know. */
export function parseOptions(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '6' },
      'sustained-seconds': { type: 'string', default: '60' },
      members: { type: 'string', default: '1000' },
      only: { type: 'string', default: '' },
      levels: { type: 'string', default: '' },
      short: { type: 'boolean', default: false },
      dry: { type: 'boolean', default: false },
    },
  })
  const suites = positionals.map(suiteName)
  const only = list(values.only)
  const levels = list(values.levels).map(positive)
  return {
    suites: suites.length > 0 ? suites : [...SUITES],
    rounds: positive(values.rounds),
    seconds: positive(values.seconds),
    sustainedSeconds: positive(values['sustained-seconds']),
    members: positive(values.members),
    only,
    levels,
    short: values.short,
    // A part of the picture must not replace the whole one.
    keep: !values.dry && only.length === 0 && levels.length === 0,
  }
}

function suiteName(text: string): SuiteName {
  const known = SUITES.find((suite) => suite === text)
  if (known === undefined) throw new Error(`There is no ${text}.\n\n${USAGE}`)
  return known
}

function positive(text: string): number {
  const number = Number(text)
  if (!(number > 0)) throw new Error(`${text} is not a number above zero.\n\n${USAGE}`)
  return number
}

function list(text: string): string[] {
  return text.split(',').filter((part) => part !== '')
}

import { parseArgs } from 'node:util'

export const SUITES = ['create', 'cycle', 'debit', 'start', 'prove'] as const
export type SuiteName = (typeof SUITES)[number]

export interface Options {
  suites: SuiteName[]
  rounds: number
  /** Counted time of one load. */
  seconds: number
  members: number
  /** Names of the contenders that take part; empty for all. */
  only: string[]
  /** Requests in flight; empty for each suite's own. */
  levels: number[]
  /** False prints the results and writes nothing. */
  keep: boolean
}

export const USAGE = `npm run bench -- [${SUITES.join('|')} ...] [options]

  --rounds 3       each contender's turns; the median counts
  --seconds 6      counted time of one load
  --members 1000   accounts that the load is spread over
  --only a,b       these contenders and nobody else; nothing is written
  --levels 1,16    requests in flight; nothing is written
  --dry            write nothing`

/** Without a suite: all of them, the proof first. Throws on anything it does not know. */
export function parseOptions(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '6' },
      members: { type: 'string', default: '1000' },
      only: { type: 'string', default: '' },
      levels: { type: 'string', default: '' },
      dry: { type: 'boolean', default: false },
    },
  })
  const suites = positionals.map(suiteName)
  const only = list(values.only)
  const levels = list(values.levels).map(positive)
  return {
    suites: suites.length > 0 ? suites : ['prove', 'create', 'cycle', 'debit', 'start'],
    rounds: positive(values.rounds),
    seconds: positive(values.seconds),
    members: positive(values.members),
    only,
    levels,
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

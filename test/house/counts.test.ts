import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'

const PROJECT = resolve(import.meta.dirname, '../..')

/** What runs at a shop, without its tests and what is generated. */
const SERVER =
  /^(config\.ts$|(api|app|activities|cli|db|domain|process|temporal|worker|workflows|dev)\/.*\.ts$)/
const APART = /\.(test|gen)\.ts$/

// A file is one noun: at 250 lines its biggest verb leaves.
const MOST_LINES = 250
const MOST_MEDIAN = 80
// Lower it with each folder that is put in order; it only falls.
const MOST_FILES = 470

type FileCount = { file: string; lines: number; words: string }

let counted: FileCount[]

beforeAll(async () => {
  const { stdout } = await promisify(execFile)('git', ['ls-files'], { cwd: PROJECT })
  const files = stdout.split('\n').filter((file) => SERVER.test(file) && !APART.test(file))
  counted = await Promise.all(
    files.map(async (file) => {
      const words = await readFile(join(PROJECT, file), 'utf8')
      return { file, lines: words.split('\n').length - 1, words }
    }),
  )
  counted.sort((one, other) => one.lines - other.lines)
})

describe('the server’s TypeScript', () => {
  it(`is at most ${MOST_FILES} files`, () => {
    expect(counted.length).toBeLessThanOrEqual(MOST_FILES)
  })

  it(`is in files of which the middle one has fewer than ${MOST_MEDIAN} lines`, () => {
    expect(counted[Math.floor(counted.length / 2)]?.lines).toBeLessThan(MOST_MEDIAN)
  })

  it(`has no file of more than ${MOST_LINES} lines`, () => {
    expect(counted.filter(({ lines }) => lines > MOST_LINES).map(({ file }) => file)).toEqual([])
  })
})

// Not in prose, where a word may have a plain meaning, but as a name or a part of one. Names that other
// processes, recorded histories or the database know stay: they are listed.
const DIALECT =
  /\b(arm[A-Z]\w*|mend[A-Z]\w*|nudge\w*|heard|hear|tell[A-Z]\w*|rewake\w*|mustLook|look(?!Up)[A-Z]\w*)\b/g
const PUBLISHED = new Set([
  'armTierReviews',
  'nudged',
  'lookAtExpiry',
  'lookup',
  ...[
    'Redemptions',
    'Fulfillments',
    'Payments',
    'Inbox',
    'Earnings',
    'Tiers',
    'Webhooks',
    'Expiries',
    'Bulks',
    'Outbox',
  ].map((kind) => `mend${kind}`),
])

describe('its names', () => {
  it('are Temporal’s, Postgres’s and the field’s words, not a dialect', () => {
    const wrong = counted.flatMap(({ file, words }) =>
      [...new Set(words.match(DIALECT))]
        .filter((word) => !PUBLISHED.has(word))
        .map((word) => `${file}: ${word}`),
    )
    expect(wrong).toEqual([])
  })
})

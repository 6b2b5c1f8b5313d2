import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../support/database.ts'
import { Runs } from '../../support/property.ts'

// Zones whose midnights are skipped or doubled, which are half an hour off, or across the date line.
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Havana',
  'America/Sao_Paulo',
  'Asia/Beirut',
  'Asia/Tehran',
  'Africa/Cairo',
  'America/Asuncion',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Pacific/Apia',
  'Pacific/Kiritimati',
  'America/St_Johns',
  'Atlantic/Azores',
]

type Policy = {
  mode: 'rolling' | 'fixed'
  months: number
  fixedDate: string
  timeZone: string
  roundTo: 'day' | 'month'
}

const policy: fc.Arbitrary<Policy> = fc.record({
  mode: fc.constantFrom('rolling', 'fixed'),
  months: fc.integer({ min: 1, max: 60 }),
  fixedDate: fc
    .date({
      min: new Date('2024-01-01T00:00:00Z'),
      max: new Date('2024-12-31T00:00:00Z'),
      noInvalidDate: true,
    })
    .map((date) => date.toISOString().slice(5, 10)),
  timeZone: fc.constantFrom(...ZONES),
  roundTo: fc.constantFrom('day', 'month'),
})

// Any second, and often one within the hours around a month's end or a change of the clock.
const earned: fc.Arbitrary<Temporal.Instant> = fc.oneof(
  fc.integer({ min: Date.UTC(2015, 0), max: Date.UTC(2035, 0) }).map(instant),
  fc
    .tuple(fc.integer({ min: 0, max: 239 }), fc.integer({ min: -50, max: 50 }))
    .map(([month, hours]) => instant(Date.UTC(2015, month, 1) + hours * 3_600_000)),
)

function instant(ms: number): Temporal.Instant {
  return Temporal.Instant.fromEpochMilliseconds(Math.trunc(ms / 1_000) * 1_000)
}

/** The same rule, in the words of Temporal's library. */
function expected(
  { mode, months, fixedDate, timeZone, roundTo }: Policy,
  at: Temporal.Instant,
): number {
  const local = at.toZonedDateTimeISO(timeZone)
  if (mode === 'rolling') {
    const added = local.toPlainDateTime().add({ months }, { overflow: 'constrain' })
    const day = added.toPlainDate()
    const first = roundTo === 'day' ? day : day.with({ day: 1 })
    const exact = Temporal.PlainDateTime.compare(first.toPlainDateTime(), added) === 0
    const due = exact ? first : first.add(roundTo === 'day' ? { days: 1 } : { months: 1 })
    return due.toZonedDateTime(timeZone).epochMilliseconds
  }
  const [month = 1, dayOfMonth = 1] = fixedDate.split('-').map(Number)
  for (let { year } = local; ; year++) {
    const date = Temporal.PlainDate.from(
      { year, month, day: dayOfMonth },
      { overflow: 'constrain' },
    )
    const due = date.add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds
    if (due > at.epochMilliseconds) return due
  }
}

let db: TestDatabase

beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.drop())

async function expiryOf(cases: [Policy, Temporal.Instant][]): Promise<number[]> {
  const rows = cases.map(([one, at]) => ({
    p: {
      expiry_mode: one.mode,
      expiry_months: one.months,
      expiry_fixed_date: one.fixedDate,
      expiry_time_zone: one.timeZone,
      expiry_round_to: one.roundTo,
    },
    at: at.toString(),
  }))
  const found = await db.owner.query(
    `select ledger_private.points_expiry(jsonb_populate_record(null::program, r -> 'p'), (r ->> 'at')::timestamptz) as due
     from jsonb_array_elements($1::jsonb) with ordinality as x (r, n) order by n`,
    [JSON.stringify(rows)],
  )
  return found.rows.map(({ due }) => due.getTime())
}

test('a lot’s date is what Temporal makes of the same rule, in every zone, at every edge of a month or clock', async () => {
  const runs = new Runs({ withinMs: 60_000, least: 15 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(policy, earned), { minLength: 50, maxLength: 100 }),
      runs.of(async (cases) => {
        const dues = await expiryOf(cases)
        const wrong = cases.flatMap(([one, at], i) => {
          const want = expected(one, at)
          return dues[i] === want
            ? []
            : [{ ...one, at: at.toString(), ours: new Date(dues[i] ?? 0), want: new Date(want) }]
        })
        expect(wrong).toEqual([])
      }),
    ),
    { numRuns: runs.numRuns },
  )
}, 300_000)

test.for<[string, Partial<Policy>, string, string]>([
  [
    'clamps 31 January plus one month to the end of February',
    { months: 1 },
    '2027-01-31T00:00:00Z',
    '2027-02-28T00:00:00Z',
  ],
  ['rounds up to the day’s end', { months: 1 }, '2027-01-31T10:00:00Z', '2027-03-01T00:00:00Z'],
  [
    'rounds up to the month’s end',
    { months: 12, roundTo: 'month' },
    '2026-05-10T10:00:00Z',
    '2027-06-01T00:00:00Z',
  ],
  [
    'takes the midnight of the program’s zone',
    { months: 1, timeZone: 'Europe/Berlin' },
    '2026-06-10T10:00:00Z',
    '2026-07-10T22:00:00Z',
  ],
  [
    'fixed: the end of the named day',
    { mode: 'fixed', fixedDate: '12-31' },
    '2026-05-10T10:00:00Z',
    '2027-01-01T00:00:00Z',
  ],
  [
    'fixed: the end of the named day in the program’s zone',
    { mode: 'fixed', fixedDate: '12-31', timeZone: 'Europe/Berlin' },
    '2026-05-10T10:00:00Z',
    '2026-12-31T23:00:00Z',
  ],
  [
    'fixed: earned on the named day, at its end',
    { mode: 'fixed', fixedDate: '12-31' },
    '2026-12-31T10:00:00Z',
    '2027-01-01T00:00:00Z',
  ],
  [
    'fixed: earned at that very midnight, a year later',
    { mode: 'fixed', fixedDate: '12-31' },
    '2027-01-01T00:00:00Z',
    '2028-01-01T00:00:00Z',
  ],
  [
    'fixed: 29 February is the 28th where there is none',
    { mode: 'fixed', fixedDate: '02-29' },
    '2026-05-10T10:00:00Z',
    '2027-03-01T00:00:00Z',
  ],
  [
    'a midnight that comes twice is the first of them',
    { months: 1, timeZone: 'America/Havana' },
    '2025-10-01T12:00:00Z',
    '2025-11-02T04:00:00Z',
  ],
])('%s', async ([, change, at, due]) => {
  const base: Policy = {
    mode: 'rolling',
    months: 1,
    fixedDate: '01-01',
    timeZone: 'UTC',
    roundTo: 'day',
  }
  const [ours] = await expiryOf([[{ ...base, ...change }, Temporal.Instant.from(at)]])
  expect(new Date(ours ?? 0).toISOString()).toBe(new Date(due).toISOString())
})

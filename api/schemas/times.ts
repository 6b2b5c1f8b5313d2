import { z } from 'zod'
import { isWithinYears, type Moment } from '../../domain/moment.ts'
import { refuse } from '../../domain/refusal.ts'

const UNIX_SECONDS = /^\d{1,11}$/
const OUT_OF_YEARS = 'must be in the years 0001 to 9999 of UTC'

const isoDay = z.iso.date()
const isoTime = z.iso.datetime({ offset: true })

/** A calendar date in a query, YYYY-MM-DD. */
export const queryDay = isoDay
  .refine((day) => isWithinYears(new Date(day)), OUT_OF_YEARS)
  .meta({ example: '2026-01-01' })

/**
 * A moment in a query: unix seconds, ISO 8601 with its offset, or a bare date, which is the whole
 * day in the program's time zone. Years 0001 to 9999 of UTC.
 */
const queryTime = z
  .string()
  .refine(
    (value) =>
      UNIX_SECONDS.test(value) ||
      isoTime.safeParse(value).success ||
      isoDay.safeParse(value).success,
    { error: 'expected unix seconds, an ISO 8601 time or a date', abort: true },
  )
  .refine((value) => isWithinYears(dateOf(value)), OUT_OF_YEARS)
  .transform((value): Moment => (isoDay.safeParse(value).success ? { day: value } : dateOf(value)))
  .meta({ type: 'string', example: '1717113600' })

const dateOf = (value: string): Date =>
  new Date(UNIX_SECONDS.test(value) ? Number(value) * 1_000 : value)

const DAYS =
  'A bare date is the whole day in the program’s time zone (`prog_default`’s where the list has none)'

/** A window of moments: the query's `created[gt]`, `created[gte]`, `created[lt]` and `created[lte]`. */
export const queryWindow = z
  .strictObject({
    gt: queryTime.optional(),
    gte: queryTime.optional(),
    lt: queryTime.optional(),
    lte: queryTime.optional(),
  })
  .optional()
  .meta({
    description: `Unix seconds or ISO 8601. ${DAYS}: \`gte\` from its start, \`gt\` after its end, \`lte\` to its end, \`lt\` before its start.`,
    param: { style: 'deepObject', explode: true },
  })

/** A moment of a report. */
export const reportTime = queryTime.meta({
  description:
    'Unix seconds or ISO 8601. A bare date means its end in the program’s time zone: the answer is as of the midnight after it.',
})

/** The same where a window stands in a body: a number of seconds is one there. */
export const windowTime = z
  .preprocess((value) => (typeof value === 'number' ? String(value) : value), queryTime)
  .meta({ type: ['string', 'integer'], example: 1717113600 })

/** A moment in a body: ISO 8601 with its offset, in the years 0001 to 9999 of UTC. */
export const bodyTime = isoTime
  .refine((value) => isWithinYears(new Date(value)), OUT_OF_YEARS)
  .transform((value) => new Date(value))
  .meta({ type: 'string', format: 'date-time', example: '2026-12-31T22:59:59Z' })

/** The same, or null for none. Said once more, because the description of a type hides what is put around it. */
export const bodyTimeOrNull = bodyTime
  .nullable()
  .meta({ type: ['string', 'null'], format: 'date-time', example: '2026-12-31T22:59:59Z' })

/** A moment as the API writes it: ISO 8601 in UTC. */
export const time = z.iso.datetime().meta({ example: '2026-05-30T00:00:00.000Z' })

type Period = { readonly startsAt: Date | null; readonly endsAt: Date | null }

/** Refuses a change after which `what` would end before it starts, by the field that was changed. */
export function refuseReversed(
  what: string,
  before: Period,
  change: {
    readonly startsAt?: Date | null | undefined
    readonly endsAt?: Date | null | undefined
  },
): void {
  const { startsAt = before.startsAt, endsAt = before.endsAt } = change
  if (startsAt === null || endsAt === null || startsAt < endsAt) return
  const param = change.endsAt === undefined ? 'starts_at' : 'ends_at'
  refuse('parameter_invalid', `${param}: the ${what} would end before it starts.`, { param })
}

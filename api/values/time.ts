import { z } from 'zod'

const UNIX_SECONDS = /^\d{1,11}$/

const isoTime = z.union([z.iso.datetime({ offset: true }), z.iso.date()])

/**
 * A moment in a query: unix seconds, or ISO 8601 with its offset (a bare date
 * is that day's start in UTC).
 */
export const queryTime = z
  .string()
  .refine(
    (value) => UNIX_SECONDS.test(value) || isoTime.safeParse(value).success,
    'expected unix seconds or an ISO 8601 time',
  )
  .transform((value) => new Date(UNIX_SECONDS.test(value) ? Number(value) * 1_000 : value))
  .meta({ type: 'string', example: '1717113600' })

/** The same where a window stands in a body: a number of seconds is one there. */
export const windowTime = z
  .preprocess((value) => (typeof value === 'number' ? String(value) : value), queryTime)
  .meta({ type: ['string', 'integer'], example: 1717113600 })

/** A moment in a body: ISO 8601 with its offset. */
export const bodyTime = z.iso
  .datetime({ offset: true })
  .transform((value) => new Date(value))
  .meta({ type: 'string', format: 'date-time', example: '2026-12-31T22:59:59Z' })

/** A moment as the API writes it: ISO 8601 in UTC. */
export const time = z.iso.datetime().meta({ example: '2026-05-30T00:00:00.000Z' })

import { isUtf8 } from 'node:buffer'
import { z } from 'zod'
import { isWithinYears } from '../../domain/moment.ts'
import { refuse } from '../../domain/refusal.ts'

// jsonb holds neither NUL nor half a surrogate pair, which JSON writes only as these escapes.
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/i

/** The JSON of a verified body; refuses what is none, or cannot be stored. */
export function jsonOf(body: Buffer): unknown {
  const { payload, stored } = parsed(body)
  if (UNSTORABLE.test(stored)) {
    return refuse('parameter_invalid', 'The body has characters that cannot be stored.')
  }
  return payload
}

function parsed(body: Buffer): { payload: unknown; stored: string } {
  if (!isUtf8(body)) refuse('invalid_json', 'The body is not valid UTF-8.')
  try {
    const payload: unknown = JSON.parse(body.toString('utf8'))
    return { payload, stored: JSON.stringify(payload) } // throws on what is nested too deep to store
  } catch {
    return refuse('invalid_json', 'The body is not valid JSON.')
  }
}

/** Metadata as providers send it: any scalar, as text. */
export const looseMetadata = z.record(z.string(), z.coerce.string()).nullish()

// Fewer digits are no time at which any payment was made (before September 2001).
const FIRST_PLAUSIBLE = 1_000_000_000

/**
 * The provider's time of an event as ISO 8601, from unix seconds or ISO 8601. Seconds are cut, not
 * rounded, so that the event happened within the second that follows; undefined where it says none.
 * Refuses what lies outside of the years 0001 to 9999.
 */
export function providerTime(
  time: number | string | null | undefined,
  param = 'created',
): string | undefined {
  if (typeof time === 'number') {
    return time < FIRST_PLAUSIBLE ? undefined : isoOf(time * 1_000 + 999, param)
  }
  const parsed = typeof time === 'string' ? Date.parse(time) : Number.NaN
  return Number.isNaN(parsed) ? undefined : isoOf(parsed, param)
}

function isoOf(ms: number, param: string): string {
  const time = new Date(ms)
  if (isWithinYears(time)) return time.toISOString()
  return refuse('parameter_invalid', `${param}: must be in the years 0001 to 9999 of UTC.`, {
    param,
  })
}

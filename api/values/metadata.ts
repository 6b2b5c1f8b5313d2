import { z } from 'zod'
import { refuse } from '../../domain/refusal.ts'
import { text } from './text.ts'

const MOST_KEYS = 50
const LONGEST_KEY = 40
const LONGEST_VALUE = 500

const key = text(LONGEST_KEY)

/** The caller's own notes: at most 50 keys of 40 characters, values of 500. */
export const metadata = z
  .record(key, text(LONGEST_VALUE, 0))
  .refine(fits, `has more than ${MOST_KEYS} keys`)
  .meta({
    description: 'At most 50 keys of 40 characters, values of 500.',
    maxProperties: MOST_KEYS,
  })

/** Metadata in an update: keys named are set, null or an empty text removes one, others stay. */
export const metadataUpdate = z
  .record(key, z.union([text(LONGEST_VALUE, 0), z.null()]))
  .refine(fits, `has more than ${MOST_KEYS} keys`)
  .meta({
    description: 'Sets the keys named; null or an empty text removes one.',
    maxProperties: MOST_KEYS,
  })

function fits(value: object): boolean {
  return Object.keys(value).length <= MOST_KEYS
}

/** Metadata after an update of it; refuses more keys than it may have. */
export function mergedMetadata(
  before: Readonly<Record<string, string>>,
  change: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const merged = Object.entries({ ...before, ...change }).flatMap(([name, value]) =>
    value === null || value === '' ? [] : [[name, value] as const],
  )
  if (merged.length > MOST_KEYS) {
    refuse('parameter_invalid', `metadata: has more than ${MOST_KEYS} keys.`, { param: 'metadata' })
  }
  return Object.fromEntries(merged)
}

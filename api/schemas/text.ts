import { z } from 'zod'
import { refuse } from '../../domain/refusal.ts'

// Postgres stores neither NUL nor half a surrogate pair, in JSON no more than in text; without this they would end as a 500.
const STORABLE = /^(?:[^\0\p{Surrogate}])*$/u

/** Free text of `min` to `max` UTF-16 units that the database can hold. */
export function text(max: number, min = 1) {
  return z
    .string()
    .min(min)
    .max(max)
    .refine((value) => STORABLE.test(value), 'has characters that cannot be stored')
}

const DEEPEST = 20

/** A JSON object of the caller's own making: nested at most 20 deep, with texts that the database can hold. */
export const jsonObject = z
  .record(z.string(), z.unknown())
  .refine((value) => isNestedWithin(value, DEEPEST), `is nested deeper than ${DEEPEST}`)
  .refine(
    (value) => isStorable(value, DEEPEST),
    'has characters, or a number, that cannot be stored',
  )

function isNestedWithin(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every((item) => isNestedWithin(item, depth - 1))
}

function isStorable(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return STORABLE.test(value)
  if (typeof value === 'number') return Number.isFinite(value) // 1e400 is read as Infinity
  if (typeof value !== 'object' || value === null || depth < 0) return true
  return Object.entries(value).every(
    ([key, item]) => STORABLE.test(key) && isStorable(item, depth - 1),
  )
}

/**
 * The path of the first `__proto__` in a parsed body, however deep, or undefined. A JSON object may have such a
 * key; schemas that build a new object of what they read lose it without a word.
 */
export function pathOfProto(body: unknown): string | undefined {
  const waiting: [unknown, string][] = [[body, '']] // no recursion: a body may be nested 50,000 deep
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [value, path] = next
    if (typeof value !== 'object' || value === null) continue
    if (Object.hasOwn(value, '__proto__')) return `${path}__proto__`
    for (const [key, item] of Object.entries(value)) {
      if (typeof item === 'object') waiting.push([item, `${path}${key}.`])
    }
  }
  return undefined
}

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

import { z } from 'zod'

const DEEPEST = 20

// Postgres stores neither NUL nor half a surrogate pair, in JSON no more than in text.
const STORABLE = /^(?:[^\0\p{Surrogate}])*$/u

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

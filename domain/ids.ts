import { createHash, randomBytes } from 'node:crypto'

/** What each id prefix names (DESIGN, "Terms"). */
export type IdPrefix =
  | 'ws'
  | 'key'
  | 'whs'
  | 'prog'
  | 'loy'
  | 'ptx'
  | 'rwd'
  | 'rdm'
  | 'pay'
  | 're'
  | 'evt'
  | 'we'
  | 'dlv'
  | 'op'
  | 'req'
  | 'run'
  | 'erl'
  | 'ern'
  | 'tch'
  | 'imp'
  | 'brv'
  | 'upl'
  | 'ety'
  | 'rct'
  | 'idn'
  | 'cpl'
  | 'cbt'
  | 'gcc'
  | 'crd'
  | 'ctx'
  | 'att'
  | 'usr'
  | 'mem'
  | 'ses'
  | 'apr'

const TIME_DIGITS = 13 // microseconds since 1970 in hex: enough until 2112
const RANDOM_DIGITS = 9 // 53 bits beside the microsecond

/**
 * A new id: `prefix_` and 22 base62 characters. The first 13 are the time, so
 * that ids of one kind sort by creation and an index grows at its right edge.
 */
export function newId(prefix: IdPrefix, nowMs: number = Date.now()): string {
  const micros = BigInt(Math.trunc(nowMs)) * 1000n + (process.hrtime.bigint() % 1000n)
  const time = micros.toString(16).padStart(TIME_DIGITS, '0')
  return `${prefix}_${time}${base62(randomBytes(12)).slice(0, RANDOM_DIGITS)}`
}

/** When an id of `newId` was made, in milliseconds since 1970. */
export const timeOfId = (id: string): number => {
  const start = id.indexOf('_') + 1
  return Math.trunc(Number.parseInt(id.slice(start, start + TIME_DIGITS), 16) / 1_000)
}

/** What comes before every id that was made at this millisecond or later, and after all made earlier. */
export const firstIdOf = (prefix: IdPrefix, ms: number): string =>
  `${prefix}_${(BigInt(Math.max(0, Math.trunc(ms))) * 1000n).toString(16).padStart(TIME_DIGITS, '0')}`

/** The id that these parts always give: what makes a retry find its first try. */
export function derivedId(prefix: IdPrefix, ...parts: string[]): string {
  return `${prefix}_${base62(digest(parts)).slice(0, 22)}`
}

/** Whether this can be an account's id. */
export const isAccountId = (value: unknown): value is string =>
  typeof value === 'string' && value.startsWith('loy_')

/** A hash of anything JSON, the same for the same content in any key order. */
export function fingerprintOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('base64url')
}

function digest(parts: string[]): Buffer {
  return createHash('sha256').update(JSON.stringify(parts)).digest()
}

// Two of base64's 64 signs are outside base62; folding them costs a twentieth of a bit a sign.
function base62(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('+', 'A').replaceAll('/', 'a').replaceAll('=', '')
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value ?? null)
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`)
  return `{${entries.join(',')}}`
}

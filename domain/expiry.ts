export const EXPIRY_MODES = ['never', 'rolling', 'fixed'] as const
export type ExpiryMode = (typeof EXPIRY_MODES)[number]

/** What an expiry date is rounded up to. */
export const EXPIRY_STEPS = ['day', 'month'] as const
export type ExpiryStep = (typeof EXPIRY_STEPS)[number]

/** When a program's points expire. Dates are local to `timeZone`. */
type ExpiryPolicy = {
  readonly mode: ExpiryMode
  readonly months: number | null
  /** MM-DD; 02-29 is the month's last day where the year has none. */
  readonly fixedDate: string | null
  readonly resetOnActivity: boolean
  readonly warnDaysBefore: number | null
  readonly timeZone: string
  readonly roundTo: ExpiryStep
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Whether some year has this date: MM-DD, 02-29 included. */
export function isDateOfYear(value: string): boolean {
  const match = /^(\d\d)-(\d\d)$/.exec(value)
  const day = Number(match?.[2])
  return day >= 1 && day <= (DAYS[Number(match?.[1]) - 1] ?? 0)
}

/** The field that the policy's mode needs and does not have; undefined: it is complete. */
export function missingOfPolicy({
  mode,
  months,
  fixedDate,
}: ExpiryPolicy): 'months' | 'fixedDate' | undefined {
  if (mode === 'rolling' && months === null) return 'months'
  if (mode === 'fixed' && fixedDate === null) return 'fixedDate'
  return undefined
}

const ZONE = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/

/** Whether this is the name of a time zone, rather than an offset or an unknown place. */
export function isTimeZoneName(value: string): boolean {
  if (!ZONE.test(value)) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

// A midnight that 100,000 accounts share starts the checks of 7 runs a second; what is due was written by the batch long before.
const SPREAD_MS = 4 * 3_600_000

/**
 * How long after a date shared by many accounts this one's run checks: between no
 * time and four hours, the same for an account every time. Milliseconds.
 */
export function expirySpreadMs(account: string): number {
  let hash = 2_166_136_261 // FNV-1a: no crypto in a workflow
  for (const sign of account) hash = Math.imul(hash ^ (sign.codePointAt(0) ?? 0), 16_777_619)
  return (hash >>> 0) % SPREAD_MS
}

/** When the run of an account checks a date, milliseconds since 1970. */
export function expiryCheckMs(account: string, at: string, shared: boolean): number {
  return Date.parse(at) + (shared ? expirySpreadMs(account) : 0)
}

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

import type { FoundEvent } from '../../db/reported-events.ts'
import { CLOCK_SKEW_MS } from '../../domain/reactor.ts'
import { refuse } from '../../domain/refusal.ts'

const DAY_MS = 86_400_000
const MOST_DAYS = 7 // a till that was without a network for a week is one that was away

/**
 * Refuses (parameter_invalid) a time that is not the till's own past: ahead, before the member was one, or
 * further back than the setting `eventMaxAgeDays`. Limits have windows, which a date of one's choice would step over.
 */
export function refuseTimestamp(found: FoundEvent, occurredAt: string | null): void {
  if (occurredAt === null) return
  const at = Date.parse(occurredAt)
  const now = Date.parse(found.at)
  const days = found.most_days ?? MOST_DAYS
  if (at > now + CLOCK_SKEW_MS) bad('lies in the future')
  if (at + CLOCK_SKEW_MS < Date.parse(found.member_since ?? occurredAt)) {
    bad('lies before the member was one')
  }
  if (at + CLOCK_SKEW_MS < now - days * DAY_MS) {
    bad(`lies more than ${days} days back; the setting eventMaxAgeDays says how many may be`)
  }
}

function bad(what: string): never {
  refuse('parameter_invalid', `timestamp: ${what}.`, { param: 'timestamp' })
}

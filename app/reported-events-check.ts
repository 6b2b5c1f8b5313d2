import type { Pool } from '../db/pool.ts'
import {
  type EventPrecheck,
  type EventRequest,
  type FoundEvent,
  precheckEvent,
} from '../db/reported-events.ts'
import { isIntrinsic } from '../domain/event.ts'
import { findPersonalData } from '../domain/personal-data.ts'
import { CLOCK_SKEW_MS } from '../domain/reactor.ts'
import { refuse } from '../domain/refusal.ts'
import type { Checks } from './event-schemas/checks.ts'
import { checkPayload } from './event-schemas/schema.ts'
import { missing } from './refusals.ts'

/**
 * What there is to know before an event is acted on; writes nothing. Refuses the platform's own types
 * (event_type_intrinsic), an unknown type or user (404), personal data and a payload that the type's schema
 * refuses. An event stored under this eventId comes back as it is, unchecked.
 */
export async function checkEvent(
  context: { readonly pool: Pool; readonly checks: Checks },
  report: EventRequest & { payload: unknown },
): Promise<Exclude<EventPrecheck, { outcome: 'no_type' }>> {
  const { workspace, type, payload } = report
  if (isIntrinsic(type)) {
    refuse('event_type_intrinsic', `type: only the platform itself reports ${type}.`, {
      param: 'type',
    })
  }
  const found = await precheckEvent(context.pool, report)
  if (found.outcome === 'exists') return found
  if (found.outcome === 'no_type') return missing('type', type)
  refusePersonalData(payload)
  await checkPayload(context, workspace, found, payload)
  if (found.account === null) return missing('user', report.user)
  refuseTimestamp(found, report.occurredAt)
  return found
}

/** Refuses a payload that looks as if it held personal data, naming where. */
function refusePersonalData(payload: unknown): void {
  const found = findPersonalData(payload)
  if (found === null) return
  const { path, kind } = found
  refuse('payload_personal_data', `${path}: looks like ${kind}. Report no personal data.`, {
    param: path,
  })
}

const DAY_MS = 86_400_000
const MOST_DAYS = 7 // a till that was without a network for a week is one that was away

/**
 * Refuses (parameter_invalid) a time that is not the till's own past: ahead, before the member was one, or
 * further back than the setting `eventMaxAgeDays`. Limits have windows, which a date of one's choice would step over.
 */
function refuseTimestamp(found: FoundEvent, occurredAt: string | null): void {
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

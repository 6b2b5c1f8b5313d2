import { checkPayload } from '../../app/event-schemas/schema.ts'
import { missing } from '../../app/refusals.ts'
import { type EventAsked, type EventPrecheck, precheckEvent } from '../../db/reported-events.ts'
import { isIntrinsic } from '../../domain/event-type.ts'
import { findPersonalData } from '../../domain/personal-data.ts'
import { refuse } from '../../domain/refusal.ts'
import type { Deps } from '../server/deps.ts'
import { refuseTimestamp } from './timestamp.ts'

/**
 * What there is to know before an event is acted on; writes nothing. Refuses the platform's own types
 * (event_type_intrinsic), an unknown type or user (404), personal data and a payload that the type's schema
 * refuses. An event stored under this eventId comes back as it is, unjudged.
 */
export async function judgeEvent(
  deps: Deps,
  asked: EventAsked & { payload: unknown },
): Promise<EventPrecheck> {
  const { workspace, type, payload } = asked
  if (isIntrinsic(type)) {
    refuse('event_type_intrinsic', `type: only the platform itself reports ${type}.`, {
      param: 'type',
    })
  }
  const found = await precheckEvent(deps.pool, asked)
  if (found.outcome === 'exists') return found
  if (found.outcome === 'no_type') return missing('type', type)
  refusePersonalData(payload)
  await checkPayload(deps, workspace, found, payload)
  if (found.account === null) return missing('user', asked.user)
  refuseTimestamp(found, asked.occurredAt)
  return found
}

/** Refuses a payload that looks as if it held personal data, naming where. */
export function refusePersonalData(payload: unknown): void {
  const found = findPersonalData(payload)
  if (found === null) return
  const { path, kind } = found
  refuse('payload_personal_data', `${path}: looks like ${kind}. Report no personal data.`, {
    param: path,
  })
}

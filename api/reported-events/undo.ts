import { inPoints, missing } from '../../app/refusals.ts'
import type { EventReport } from '../../app/reported-events.ts'
import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import { exactUnits } from '../../app/units.ts'
import { type FoundEvent, readReportedEvent } from '../../db/reported-events.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import { reportedEventObject } from '../schemas/reported-events.ts'
import type { Deps } from '../server/deps.ts'
import { type Answer, answerOf } from './act.ts'
import { judgeEvent } from './judge.ts'

/**
 * Undoes what an earlier event moved: the points return to the very lots. Once, however often and
 * by however many tills it is asked; every one of them gets the first one's answer.
 */
export async function undoEvent(
  deps: Deps,
  report: EventReport,
  reverses: string,
  livemode: boolean,
): Promise<Answer> {
  const found = await judgeEvent(deps, report)
  if (found.outcome === 'exists') {
    const replayed = { ...found, outcome: 'replayed' as const }
    return answerOf(deps, replayed, report, livemode)
  }
  if (found.outcome === 'no_type') return missing('type', report.type)
  const decimals = found.decimals ?? 0
  const { workspace, id, eventId, fingerprint, user, type, payload } = report
  const undo = {
    workspace,
    id,
    eventId,
    fingerprint,
    user,
    type,
    payload,
    reverses,
    typeVersion: found.version,
    points: pointsSaid(found, payload),
    occurredAt: report.occurredAt ?? found.at,
    at: found.at,
  }
  const { outcome, event, refusal } = await retryOnConflict(() => deps.commands.undoEvent(undo))
  if (refusal !== undefined) throw new Refused(inPoints(refusal, decimals))
  if (event === undefined) {
    const message = `reverses: this user has no event ${reverses}.`
    return refuse('resource_missing', message, { param: 'reverses' })
  }
  if (outcome === 'undone') {
    const object = reportedEventObject(readReportedEvent(event), { decimals, livemode })
    return { status: 'ok', replayed: true, object }
  }
  const became = outcome === 'replayed' ? ('replayed' as const) : ('processed' as const)
  return answerOf(deps, { outcome: became, event, decimals }, report, livemode)
}

/** The points that the till says it undoes, smallest unit; null where its payload names none. */
function pointsSaid({ decimals }: FoundEvent, payload: unknown): number | null {
  if (typeof payload !== 'object' || payload === null || !('points' in payload)) return null
  const { points } = payload
  return typeof points === 'number'
    ? Math.abs(exactUnits('payload.points', points, decimals ?? 0))
    : null
}

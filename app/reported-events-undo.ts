import { done } from '../db/border.ts'
import { readReportedEvent } from '../db/reported-events.ts'
import type { FoundEvent } from '../db/results/reported_event.ts'
import { refuse } from '../domain/refusal.ts'
import { exactUnits } from './points.ts'
import { checkEvent, type EventReport } from './reported-events.ts'
import { type EventContext, outcomeOf, type ReportOutcome } from './reported-events-act.ts'

/**
 * Undoes what an earlier event moved: the points return to the very lots. Once, however often and
 * by however many tills it is asked; every one of them gets the first one's answer.
 */
export async function undoEvent(
  context: EventContext,
  report: EventReport,
  reverses: string,
): Promise<ReportOutcome> {
  const found = await checkEvent(context, report)
  if (found.outcome === 'exists') {
    const replayed = { ...found, outcome: 'replayed' as const }
    return outcomeOf(context, replayed, report)
  }
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
  const { outcome, event } = done({ ...(await context.commands.undoEvent(undo)), decimals })
  if (event === undefined) {
    const message = `reverses: this user has no event ${reverses}.`
    return refuse('resource_missing', message, { param: 'reverses' })
  }
  if (outcome === 'undone') {
    const row = readReportedEvent(event)
    return { status: 'done', row, decimals, dryRun: false, replayed: true }
  }
  const became = outcome === 'replayed' ? ('replayed' as const) : ('processed' as const)
  return outcomeOf(context, { outcome: became, event, decimals }, report)
}

/** The points that the till says it undoes, smallest unit; null where its payload names none. */
function pointsSaid({ decimals }: FoundEvent, payload: unknown): number | null {
  if (typeof payload !== 'object' || payload === null || !('points' in payload)) return null
  const { points } = payload
  return typeof points === 'number'
    ? Math.abs(exactUnits('payload.points', points, decimals ?? 0))
    : null
}

import type { z } from 'zod'
import type { EventReport, Reported } from '../../activities/reported-event.ts'
import { readReportedEvent } from '../../db/reported-events.ts'
import { type ErrorCode, Refused, refuse } from '../../domain/refusal.ts'
import { write } from '../contention.ts'
import type { Reply } from '../declaration.ts'
import type { Deps } from '../deps.ts'
import { type ReportedEvent, reportedEventObject } from '../objects/reported-event.ts'
import { inPoints, missing } from '../points-refusal.ts'
import { judgeEvent } from './judge.ts'

/** What reporting an event may refuse. */
export const REPORT_ERRORS: readonly ErrorCode[] = [
  'resource_missing',
  'event_type_intrinsic',
  'payload_invalid',
  'payload_personal_data',
  'insufficient_points',
  'account_closed',
  'idempotency_key_reused',
]

type Answer = Reply<z.input<typeof ReportedEvent>>

/** Judges an event, has it acted on in one transaction, and says what became of it. */
export async function actOnEvent(
  deps: Deps,
  report: EventReport,
  livemode: boolean,
): Promise<Answer> {
  const found = await judgeEvent(deps, report)
  const reported = await write(() => deps.activities.reportEvent(report, found))
  return answerOf(reported, report, livemode)
}

function answerOf(reported: Reported, report: EventReport, livemode: boolean): Answer {
  switch (reported.outcome) {
    case 'no_type':
      return missing('type', report.type)
    case 'missing':
      return missing('user', report.user)
    case 'refused':
      throw new Refused(inPoints(reported.refusal, reported.decimals))
    case 'failed': {
      const { name, explanation } = reported.failed
      const message = `The reactor ${name} failed, and the event is strict: ${explanation}`
      return refuse('payload_invalid', message, { param: 'payload' })
    }
    case 'processed':
    case 'replayed': {
      const row = readReportedEvent(reported.event)
      const replayed = reported.outcome === 'replayed'
      if (replayed && row.fingerprint !== report.fingerprint) {
        const message = 'This eventId (or Idempotency-Key) was used with another event.'
        refuse('idempotency_key_reused', message, { resource: row.id })
      }
      const dryRun = report.dryRun && !replayed
      const object = reportedEventObject(row, { decimals: reported.decimals, livemode, dryRun })
      return { status: 'ok', replayed, object }
    }
  }
}

import type { z } from 'zod'
import { inPoints, missing } from '../../app/refusals.ts'
import {
  type EventReport,
  givesRewards,
  planEvent,
  type Reported,
} from '../../app/reported-events.ts'
import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import { isOutage, orUnavailable, Unavailable } from '../../app/unavailable.ts'
import { findRedemption } from '../../db/redemptions.ts'
import { type ReportedEventRow, readReportedEvent } from '../../db/reported-events.ts'
import { TooSlow } from '../../domain/expression/payload.ts'
import { type ErrorCode, type Refusal, Refused, refuse } from '../../domain/refusal.ts'
import { finishReportedEvent } from '../../temporal/reported-event.ts'
import { type ReportedEvent, reportedEventObject } from '../schemas/reported-events.ts'
import type { Reply } from '../server/declaration.ts'
import type { Deps } from '../server/deps.ts'
import { prepareGifts } from './gifts.ts'
import { judgeEvent } from './judge.ts'

/** What reporting an event may refuse. */
export const REPORT_ERRORS: readonly ErrorCode[] = [
  'resource_missing',
  'event_type_intrinsic',
  'payload_invalid',
  'payload_personal_data',
  'insufficient_points',
  'account_closed',
  'reward_inactive',
  'reward_not_started',
  'reward_ended',
  'reward_out_of_stock',
  'limit_reached',
  'tier_required',
  'idempotency_key_reused',
]

/** Whether the refusal is of a user that there is not. */
export const namesNobody = ({ code, param }: Refusal): boolean =>
  code === 'resource_missing' && param === 'user'

export type Answer = Reply<z.input<typeof ReportedEvent>>

/**
 * Judges an event, has it acted on in one transaction, and says what became of it. Where the database is
 * lost on the way, the outcome is unknown: the event's workflow then finds it out or does it, once, and
 * the answer is `accepted`. A strict one is left to the till: 503. Where the request does not say whether
 * it is strict, the workspace's setting `strict` does.
 */
export async function actOnEvent(
  deps: Deps,
  asked: Omit<EventReport, 'strict'> & { strict: boolean | undefined },
  livemode: boolean,
): Promise<Answer> {
  const found = await judgeEvent(deps, asked)
  const bySetting = found.outcome === 'found' && found.strict === true
  const report = { ...asked, strict: asked.strict ?? bySetting }
  try {
    const reported = await retryOnConflict(() =>
      deps.commands.reportEvent(report, found, undefined, prepareGifts(deps, report)),
    )
    return await answerOf(deps, reported, report, livemode)
  } catch (error) {
    if (error instanceof TooSlow) throw new Unavailable(TOO_SLOW, error)
    if (found.outcome !== 'found' || report.dryRun || !isOutage(error)) throw error
    const plan = planEvent(found, report.payload, new Date(report.occurredAt ?? found.at))
    if (report.strict || plan.some(givesRewards)) throw new Unavailable(UNKNOWN, error)
    const handedOver = { ...report, occurredAt: report.occurredAt ?? found.at }
    await orUnavailable(UNKNOWN, () => finishReportedEvent(deps.engine, handedOver))
    return { status: 'accepted', object: acceptedObject(report, livemode) }
  }
}

/** Of TooSlow: the steps of an event are bounded, so it was the server that was busy. */
export const TOO_SLOW = 'The reactors of the event took too long. Nothing was written; try again.'

// A strict event is asked about now or not at all: a till gives its discount by the answer.
const UNKNOWN = 'Whether the event was processed is unknown. Report it again with the same eventId.'

function acceptedObject({ type, eventId, user, strict }: EventReport, livemode: boolean) {
  return {
    object: 'reported_event' as const,
    status: 'accepted' as const,
    type,
    eventId,
    user,
    strict,
    reactors: [],
    livemode,
  }
}

/** What became of it, as the API says it; the ledger's refusals are thrown. */
export async function answerOf(
  deps: Deps,
  reported: Reported,
  report: Pick<EventReport, 'type' | 'user' | 'fingerprint' | 'dryRun'>,
  livemode: boolean,
): Promise<Answer> {
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
      const held = await heldBy(deps, row)
      const object = reportedEventObject(row, {
        decimals: reported.decimals,
        livemode,
        dryRun,
        held,
      })
      return { status: 'ok', replayed, object }
    }
  }
}

/** The redemption that holds an event's points; of most events none does. */
export async function heldBy({ pool }: Deps, { workspace, redemption }: ReportedEventRow) {
  return redemption === null ? undefined : findRedemption(pool, workspace, redemption)
}

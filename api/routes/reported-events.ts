import { z } from 'zod'
import { byUserId } from '../../app/failed-attempts.ts'
import { type Command, changeRedemption } from '../../app/redemptions.ts'
import { notFound } from '../../app/refusals.ts'
import type { EventReport } from '../../app/reported-events.ts'
import { actOnEvent, namesNobody, type ReportOutcome } from '../../app/reported-events-act.ts'
import { holdEvent } from '../../app/reported-events-hold.ts'
import { undoEvent } from '../../app/reported-events-undo.ts'
import { findReportedEvent } from '../../db/reported-events.ts'
import type { RedemptionResult } from '../../db/results/redemption.ts'
import { derivedId, newId } from '../../domain/ids.ts'
import { type ErrorCode, refuse } from '../../domain/refusal.ts'
import { flag } from '../schemas/lists.ts'
import { NewReportedEvent, ReportedEvent, reportedEventObject } from '../schemas/reported-events.ts'
import { text } from '../schemas/text.ts'
import { type Reply, updated, withAlias } from '../server/declaration.ts'
import type { Deps } from '../server/deps.ts'
import { endpoint } from '../server/endpoint.ts'

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

const BODY_LIMIT = '32kb' // a receipt of some hundred lines

export const reportEvent = withAlias('/events', (path) =>
  endpoint({
    method: 'POST',
    path,
    summary: 'Report an event',
    description:
      'Answers with the outcome of each reactor. All of it is one transaction, once by `eventId`. With `strict=true` a debit below zero, or a reactor that fails, refuses the whole event (the setting `strict: true` makes it so where the request does not say); with `dry_run=true` nothing is written, and every reactor of the type, active or not, is explained.',
    tags: ['tills'],
    key: 'secret',
    bodyLimit: BODY_LIMIT,
    query: z.strictObject({ strict: flag.optional(), dry_run: flag.optional() }),
    body: NewReportedEvent,
    reply: ReportedEvent,
    successCodes: [200, 202],
    errors: [
      ...REPORT_ERRORS,
      'not_reversible',
      'redemption_already_settled',
      'payment_processing',
      'invalid_precision',
    ],
    handle: async ({ workspace, caller, livemode, query, body, operation, fingerprint, deps }) => {
      const { strict, dry_run: dryRun = false } = query
      const { type, user, payload, timestamp } = body
      const report = {
        workspace,
        id: newId('evt'),
        eventId: body.eventId ?? operation,
        fingerprint,
        type,
        user,
        payload,
        occurredAt: timestamp?.toISOString() ?? null,
        dryRun,
        reactors: dryRun ? 'all' : 'active',
      }
      if (dryRun && (body.hold === true || body.reverses !== undefined)) {
        refuse(
          'parameter_invalid',
          'dry_run: tries out what reactors do, and no hold or reversal.',
          {
            param: 'dry_run',
          },
        )
      }
      if (body.hold === true && body.reverses !== undefined) {
        refuse('parameter_invalid', 'hold: cannot stand beside reverses.', { param: 'hold' })
      }
      const { reverses } = body
      const outcome = await deps.attempts.tryOut(byUserId(caller), namesNobody, () => {
        if (reverses !== undefined) return undoEvent(deps, { ...report, strict: true }, reverses)
        if (body.hold === true) return holdEvent(deps, { ...report, strict: true })
        return actOnEvent(deps, { ...report, strict })
      })
      return answerReport(outcome, report, livemode)
    },
  }),
)

/** What became of a report, as the API says it. */
export function answerReport(
  outcome: ReportOutcome,
  { type, eventId, user }: Pick<EventReport, 'type' | 'eventId' | 'user'>,
  livemode: boolean,
): Reply<z.input<typeof ReportedEvent>> {
  if (outcome.status === 'done') {
    const { row, held, decimals, dryRun, replayed } = outcome
    const object = reportedEventObject(row, { decimals, livemode, dryRun, held })
    return { status: 'ok', replayed, object }
  }
  const { status, strict } = outcome
  const object = 'reported_event' as const
  return {
    status,
    object: { object, status, type, eventId, user, strict, reactors: [], livemode },
  }
}

const LONGEST_EVENT_ID = 200

const settling = {
  method: 'POST',
  tags: ['tills'],
  key: 'secret',
  params: z.strictObject({ id: text(LONGEST_EVENT_ID) }),
  body: z.strictObject({}),
  reply: ReportedEvent,
  errors: [
    'resource_missing',
    'redemption_already_settled',
    'redemption_already_attached',
    'payment_processing',
  ],
} as const

type HoldContext = { workspace: string; livemode: boolean; params: { id: string }; deps: Deps }

export const confirmEvent = withAlias('/events/{id}/confirm', (path) =>
  endpoint({
    ...settling,
    path,
    summary: 'Confirm a held event',
    description:
      'The sale went through: the points stay taken. `{id}` is the event’s `eventId` or `id`. A repeat is answered as the first; one whose points have returned is refused.',
    handle: (ctx) => settle(ctx, 'confirm', ctx.deps.commands.confirmRedemption),
  }),
)

export const cancelEvent = withAlias('/events/{id}/cancel', (path) =>
  endpoint({
    ...settling,
    path,
    summary: 'Cancel a held event',
    description:
      'The sale failed: the points return at once. `{id}` is the event’s `eventId` or `id`. A repeat is answered as the first.',
    handle: (ctx) =>
      settle(ctx, 'cancel', (command) =>
        ctx.deps.commands.cancelRedemption({ ...command, reason: 'canceled_at_till' }),
      ),
  }),
)

/** Sends the redemption that holds the event's points its command. The operation is the event's own: a till needs no key to repeat it. */
async function settle(
  { workspace, livemode, params, deps }: HoldContext,
  verb: 'confirm' | 'cancel',
  change: (command: Command) => Promise<RedemptionResult>,
) {
  const row = await findReportedEvent(deps.pool, workspace, params.id)
  if (row === undefined || row.redemption === null) return notFound('held event', params.id)
  const command = {
    workspace,
    redemption: row.redemption,
    operation: derivedId('op', workspace, verb, row.id),
    fingerprint: verb,
    at: null,
  }
  const settled = await changeRedemption(command, change)
  const decimals = await deps.decimals.ofProgram(workspace, row.program)
  return updated(settled, (held) => reportedEventObject(row, { decimals, livemode, held }))
}

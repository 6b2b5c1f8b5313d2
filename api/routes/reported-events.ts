import { z } from 'zod'
import { newId } from '../../domain/ids.ts'
import { refuse } from '../../domain/refusal.ts'
import { actOnEvent, namesNobody, REPORT_ERRORS } from '../reported-events/act.ts'
import { holdEvent } from '../reported-events/hold.ts'
import { undoEvent } from '../reported-events/undo.ts'
import { flag } from '../schemas/lists.ts'
import { NewReportedEvent, ReportedEvent } from '../schemas/reported-events.ts'
import { endpoint } from '../server/endpoint.ts'
import { byUserId } from '../server/rate-limits.ts'

const BODY_LIMIT = '32kb' // a receipt of some hundred lines

/** The route is answered at both paths: a till configured with the bare host finds it too. */
const reporting = (path: '/v1/events' | '/events') =>
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
      return deps.attempts.tryOut(byUserId(caller), namesNobody, () => {
        if (reverses !== undefined) {
          return undoEvent(deps, { ...report, strict: true }, reverses, livemode)
        }
        if (body.hold === true) return holdEvent(deps, { ...report, strict: true }, livemode)
        return actOnEvent(deps, { ...report, strict }, livemode)
      })
    },
  })

export const reportEvent = reporting('/v1/events')
export const reportEventAtRoot = reporting('/events')

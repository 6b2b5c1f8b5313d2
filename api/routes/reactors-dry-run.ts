import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { actOnEvent, namesNobody } from '../../app/reported-events-act.ts'
import { findReactor } from '../../db/reactors.ts'
import { idPath } from '../schemas/ids.ts'
import { flag } from '../schemas/lists.ts'
import { NewReportedEvent, ReportedEvent } from '../schemas/reported-events.ts'
import { endpoint } from '../server/endpoint.ts'
import { byUserId } from '../server/rate-limits.ts'
import { answerReport, REPORT_ERRORS } from './reported-events.ts'

export const dryRunReactor = endpoint({
  method: 'POST',
  path: '/v1/reactors/{id}/dry_run',
  summary: 'Try a reactor out',
  description:
    'What this reactor alone, active or not, would make of an event of its trigger; nothing is written.',
  tags: ['tills'],
  scope: 'tills:read',
  key: 'secret',
  params: idPath('rct'),
  query: z.strictObject({ strict: flag.optional() }),
  body: NewReportedEvent.pick({ user: true, payload: true, timestamp: true }).meta({
    id: 'ReactorDryRun',
  }),
  reply: ReportedEvent,
  errors: REPORT_ERRORS,
  handle: async ({
    workspace,
    caller,
    livemode,
    params,
    query,
    body,
    operation,
    fingerprint,
    deps,
  }) => {
    const row = await findReactor(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('reactor', params.id)
    const { user, payload, timestamp } = body
    const report = {
      workspace,
      id: 'evt_dry_run', // written nowhere
      eventId: `dry_run/${operation}`,
      fingerprint,
      type: row.trigger,
      user,
      payload,
      occurredAt: timestamp?.toISOString() ?? null,
      strict: query.strict,
      dryRun: true,
      reactors: row.id,
    }
    const outcome = await deps.attempts.tryOut(byUserId(caller), namesNobody, () =>
      actOnEvent(deps, report),
    )
    return answerReport(outcome, report, livemode)
  },
})

import { z } from 'zod'
import { byUserId } from '../../app/failed-attempts.ts'
import { notFound } from '../../app/refusals.ts'
import { actOnEvent, namesNobody } from '../../app/reported-events-act.ts'
import {
  findReactor,
  type ReactorChange,
  type ReactorRow,
  listReactors as readReactors,
} from '../../db/reactors.ts'
import { newId } from '../../domain/ids.ts'
import { eventTypeName } from '../schemas/events.ts'
import { id, idPath } from '../schemas/ids.ts'
import { flag, listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { NewReactor, Reactor, ReactorUpdate, reactorObject } from '../schemas/reactors.ts'
import { NewReportedEvent, ReportedEvent } from '../schemas/reported-events.ts'
import { mergedMetadata } from '../schemas/text.ts'
import { refuseReversed } from '../schemas/times.ts'
import { created, updated } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'
import { answerReport, REPORT_ERRORS } from './reported-events.ts'

export const createReactor = endpoint({
  method: 'POST',
  path: '/v1/reactors',
  summary: 'Add a reactor',
  description:
    'From then on every event of its trigger, for which all its conditions are true, does what its reactions say.',
  tags: ['tills'],
  key: 'secret',
  body: NewReactor,
  reply: Reactor,
  successCodes: [201, 200],
  errors: [
    'resource_missing',
    'event_type_intrinsic',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { workspace, livemode, body, deps } = ctx
    const { starts_at: startsAt, ends_at: endsAt, order: position, ...same } = body
    const values = { ...same, startsAt, endsAt, position, workspace, id: newId('rct') }
    const made = await deps.commands.createReactor(ctx.request, values)
    return created(made, (row) => reactorObject(row, livemode))
  },
})

const path = '/v1/reactors'

export const listReactors = endpoint({
  method: 'GET',
  path,
  summary: 'List reactors',
  tags: ['tills'],
  key: 'secret',
  query: listQuery('rct', { trigger: eventTypeName.optional(), active: flag.optional() }),
  reply: listReply(Reactor),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const { trigger, active } = query
    const { rows, hasMore } = await readReactors(
      deps.pool,
      workspace,
      { trigger, active },
      pageOf(query),
    )
    const data = rows.map((row) => reactorObject(row, livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})

export const retrieveReactor = endpoint({
  method: 'GET',
  path: '/v1/reactors/{id}',
  summary: 'Retrieve a reactor',
  tags: ['tills'],
  key: 'secret',
  params: idPath('rct'),
  reply: Reactor,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await findReactor(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('reactor', params.id)
    return { status: 'ok', object: reactorObject(row, livemode) }
  },
})

export const updateReactor = endpoint({
  method: 'PATCH',
  path: '/v1/reactors/{id}',
  summary: 'Update a reactor',
  description:
    'Applies to what is reported from then on. Fields not named stay; conditions, reactions and limits are replaced as a whole. Activations so far keep counting.',
  tags: ['tills'],
  key: 'secret',
  params: idPath('rct'),
  body: ReactorUpdate,
  reply: Reactor,
  errors: [
    'resource_missing',
    'event_type_intrinsic',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { livemode, params, body, deps } = ctx
    const changed = await deps.commands.updateReactor(
      ctx.request,
      params.id,
      (before) => changeOf(before, body),
      body.reactions,
    )
    return updated(changed, (row) => reactorObject(row, livemode))
  },
})

/** The columns that change; undefined leaves one as it is. */
function changeOf(before: ReactorRow, body: z.output<typeof ReactorUpdate>): ReactorChange {
  const { starts_at: startsAt, ends_at: endsAt, order: position, metadata, ...same } = body
  refuseReversed('reactor', before, { startsAt, endsAt })
  return {
    ...same,
    startsAt,
    endsAt,
    position,
    metadata: metadata && mergedMetadata(before.metadata, metadata),
  }
}

export const deleteReactor = endpoint({
  method: 'DELETE',
  path: '/v1/reactors/{id}',
  summary: 'Delete a reactor',
  description: 'It acts no more. What it did stays, and its transactions still name it.',
  tags: ['tills'],
  key: 'secret',
  params: idPath('rct'),
  reply: z
    .object({ id: id('rct'), object: z.literal('reactor'), deleted: z.literal(true) })
    .meta({ id: 'ReactorDeleted' }),
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { params, deps } = ctx
    const gone = await deps.commands.deleteReactor(ctx.request, params.id)
    return updated(gone, (id) => ({ id, object: 'reactor' as const, deleted: true as const }))
  },
})

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

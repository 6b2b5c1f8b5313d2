import { findEventType } from '../../db/event-types.ts'
import { write } from '../contention.ts'
import { notFound } from '../points-refusal.ts'
import { EventType, EventTypeUpdate, eventTypeObject } from '../schemas/event-types.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'
import { refusePersonalProperties } from './personal.ts'
import { eventTypePath } from './retrieve.ts'
import { checkSchema } from './schema.ts'

export const updateEventType = endpoint({
  method: 'PATCH',
  path: '/v1/event_types/{id}',
  summary: 'Update an event type',
  description:
    'A schema replaces the one before as a new version. What was reported keeps the version it was checked by.',
  tags: ['tills'],
  key: 'secret',
  params: eventTypePath,
  body: EventTypeUpdate,
  reply: EventType,
  errors: [
    'resource_missing',
    'payload_personal_data',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { workspace, livemode, params, body, deps } = ctx
    if (body.schema !== undefined) {
      refusePersonalProperties(body.schema)
      await checkSchema(deps, workspace, body.schema)
    }
    const before = await findEventType(deps.pool, workspace, params.id)
    if (before === undefined) return notFound('event type', params.id)
    const request = identityOf('PATCH /v1/event_types/{id}', ctx)
    const { value: row, replayed } = await write(() =>
      deps.commands.updateEventType(request, before.id, body),
    )
    if (row === undefined) return notFound('event type', params.id)
    return { status: 'ok', replayed, object: eventTypeObject(row, livemode) }
  },
})

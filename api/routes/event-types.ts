import { z } from 'zod'
import { checkSchema, refusePersonalProperties } from '../../app/event-types.ts'
import { notFound } from '../../app/refusals.ts'
import {
  findEventType,
  listEventTypeVersions,
  listEventTypes as readEventTypes,
} from '../../db/event-types.ts'
import { isIntrinsic } from '../../domain/event.ts'
import { newId } from '../../domain/ids.ts'
import { refuse } from '../../domain/refusal.ts'
import {
  EventType,
  EventTypeUpdate,
  eventTypeName,
  eventTypeObject,
  NewEventType,
} from '../schemas/events.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { created, updated } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

export const createEventType = endpoint({
  method: 'POST',
  path: '/v1/event_types',
  summary: 'Define an event type',
  description:
    'From then on tills may report events of this type, with payloads that its JSON Schema takes.',
  tags: ['tills'],
  key: 'secret',
  body: NewEventType,
  reply: EventType,
  successCodes: [201, 200],
  errors: [
    'event_type_intrinsic',
    'payload_personal_data',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { workspace, livemode, body, deps } = ctx
    if (isIntrinsic(body.name)) {
      refuse('event_type_intrinsic', `name: ${body.name} is a type of the platform's own.`, {
        param: 'name',
      })
    }
    refusePersonalProperties(body.schema)
    await checkSchema(deps, workspace, body.schema)
    const values = { ...body, workspace, id: newId('ety') }
    const made = await deps.commands.createEventType(ctx.request, values)
    return created(made, (row) => eventTypeObject(row, livemode))
  },
})

const path = '/v1/event_types'

export const listEventTypes = endpoint({
  method: 'GET',
  path,
  summary: 'List event types',
  description: "The workspace's own; the platform's are listed in its documentation.",
  tags: ['tills'],
  key: 'secret',
  query: listQuery('ety', {}),
  reply: listReply(EventType),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const { rows, hasMore } = await readEventTypes(deps.pool, workspace, pageOf(query))
    const data = rows.map((row) => eventTypeObject(row, livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})

/** The path of one event type: its id, or its name. */
const eventTypePath = z.strictObject({ id: eventTypeName })

export const retrieveEventType = endpoint({
  method: 'GET',
  path: '/v1/event_types/{id}',
  summary: 'Retrieve an event type',
  description: 'By its id or its name, with every version of its schema.',
  tags: ['tills'],
  key: 'secret',
  params: eventTypePath,
  reply: EventType,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await findEventType(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('event type', params.id)
    const versions = (await listEventTypeVersions(deps.pool, workspace, row.id)).map(
      ({ version, schema, createdAt }) => ({
        version,
        schema,
        created_at: createdAt.toISOString(),
      }),
    )
    return { status: 'ok', object: { ...eventTypeObject(row, livemode), versions } }
  },
})

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
    const changed = await deps.commands.updateEventType(ctx.request, params.id, body)
    return updated(changed, (row) => eventTypeObject(row, livemode))
  },
})

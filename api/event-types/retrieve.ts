import { z } from 'zod'
import { findEventType, listEventTypeVersions } from '../../db/event-types.ts'
import { notFound } from '../points-refusal.ts'
import { EventType, eventTypeName, eventTypeObject } from '../schemas/event-types.ts'
import { endpoint } from '../server/endpoint.ts'

/** The path of one event type: its id, or its name. */
export const eventTypePath = z.strictObject({ id: eventTypeName })

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

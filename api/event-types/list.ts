import { listEventTypes as readEventTypes } from '../../db/event-types.ts'
import { EventType, eventTypeObject } from '../schemas/event-types.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { endpoint } from '../server/endpoint.ts'

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

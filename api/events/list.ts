import { readEventObjects } from '../../db/event-objects.ts'
import { listEvents as readEvents } from '../../db/events.ts'
import { Event, eventPattern } from '../schemas/events.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { text } from '../schemas/text.ts'
import { endpoint } from '../server/endpoint.ts'

const path = '/v1/events'
const LONGEST_ID = 100

export const listEvents = endpoint({
  method: 'GET',
  path,
  summary: 'List events',
  description: 'Newest first. `type` takes a prefix as well: `loyalty.redemption.*`.',
  tags: ['events'],
  key: 'secret',
  query: listQuery('evt', {
    type: eventPattern.optional(),
    object: text(LONGEST_ID).optional().meta({ description: 'The id of what it is about.' }),
  }),
  reply: listReply(Event),
  errors: [],
  handle: async (ctx) => {
    const { workspace, query, deps } = ctx
    const type = query.type === '*' ? undefined : query.type
    const filter = { type, object: query.object }
    const { rows, hasMore } = await readEvents(deps.pool, workspace, filter, pageOf(query))
    return {
      status: 'ok',
      object: listOf(path, await readEventObjects(deps.pool, ctx, rows), hasMore),
    }
  },
})

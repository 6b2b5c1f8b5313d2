import { notFound } from '../../app/refusals.ts'
import { readEventObjects } from '../../db/event-objects.ts'
import { findEvent, listEvents as readEvents } from '../../db/events.ts'
import { Event, eventPattern } from '../schemas/events.ts'
import { idPath } from '../schemas/ids.ts'
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

export const retrieveEvent = endpoint({
  method: 'GET',
  path: '/v1/events/{id}',
  summary: 'Retrieve an event',
  tags: ['events'],
  key: 'secret',
  params: idPath('evt'),
  reply: Event,
  errors: ['resource_missing'],
  handle: async (ctx) => {
    const row = await findEvent(ctx.deps.pool, ctx.workspace, ctx.params.id)
    const [object] = row === undefined ? [] : await readEventObjects(ctx.deps.pool, ctx, [row])
    return object === undefined ? notFound('event', ctx.params.id) : { status: 'ok', object }
  },
})

import { readEventObjects } from '../../db/event-objects.ts'
import { findEvent } from '../../db/events.ts'
import { notFound } from '../points-refusal.ts'
import { Event } from '../schemas/events.ts'
import { idPath } from '../schemas/ids.ts'
import { endpoint } from '../server/endpoint.ts'

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

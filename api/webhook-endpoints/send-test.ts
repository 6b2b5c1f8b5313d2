import { z } from 'zod'
import { readEventObjects } from '../../db/event-objects.ts'
import { findEvent } from '../../db/events.ts'
import { findEndpoint } from '../../db/webhook-endpoints.ts'
import { newId } from '../../domain/ids.ts'
import { refuse } from '../../domain/refusal.ts'
import { write } from '../contention.ts'
import { notFound } from '../points-refusal.ts'
import { Event } from '../schemas/events.ts'
import { idPath } from '../schemas/ids.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'

export const testWebhookEndpoint = endpoint({
  method: 'POST',
  path: '/v1/webhook_endpoints/{id}/test',
  summary: 'Send a test event',
  description: '`webhook_endpoint.test`, to this endpoint alone, whatever it subscribes to.',
  tags: ['webhook_endpoints'],
  key: 'secret',
  params: idPath('we'),
  body: z.strictObject({}),
  reply: Event,
  successCodes: [201, 200],
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { workspace, params, deps } = ctx
    if ((await findEndpoint(deps.pool, workspace, params.id)) === undefined) {
      return notFound('webhook endpoint', params.id)
    }
    const request = identityOf('POST /v1/webhook_endpoints/{id}/test', ctx)
    const { value: event, replayed } = await write(() =>
      deps.commands.testWebhookEndpoint(request, params.id, newId('evt')),
    )
    if (event === null) {
      return refuse('parameter_invalid', 'id: the endpoint is disabled.', { param: 'id' })
    }
    const row = await findEvent(deps.pool, workspace, event)
    const [object] = row === undefined ? [] : await readEventObjects(deps.pool, ctx, [row])
    return object === undefined ? notFound('event', event) : { status: 'created', replayed, object }
  },
})

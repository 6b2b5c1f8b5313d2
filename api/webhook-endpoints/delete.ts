import { z } from 'zod'
import { write } from '../contention.ts'
import { notFound } from '../points-refusal.ts'
import { id, idPath } from '../schemas/ids.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'

export const deleteWebhookEndpoint = endpoint({
  method: 'DELETE',
  path: '/v1/webhook_endpoints/{id}',
  summary: 'Delete a webhook endpoint',
  description: 'Nothing more is sent to it, not even what is pending.',
  tags: ['webhook_endpoints'],
  key: 'secret',
  params: idPath('we'),
  reply: z
    .object({ id: id('we'), object: z.literal('webhook_endpoint'), deleted: z.literal(true) })
    .meta({ id: 'WebhookEndpointDeleted' }),
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { params, deps } = ctx
    const request = identityOf('DELETE /v1/webhook_endpoints/{id}', ctx)
    const { value, replayed } = await write(() =>
      deps.commands.deleteWebhookEndpoint(request, params.id),
    )
    if (value === undefined) return notFound('webhook endpoint', params.id)
    const object = { id: value, object: 'webhook_endpoint' as const, deleted: true as const }
    return { status: 'ok', replayed, object }
  },
})

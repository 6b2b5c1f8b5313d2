import { z } from 'zod'
import { findEndpoint } from '../../db/webhook-endpoints.ts'
import { write } from '../contention.ts'
import { endpoint } from '../endpoint.ts'
import { notFound } from '../points-refusal.ts'
import { id, idPath } from '../values/id.ts'

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
  errors: ['resource_missing'],
  handle: async ({ workspace, params, deps }) => {
    const row = await findEndpoint(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('webhook endpoint', params.id)
    await write(() => deps.activities.deleteWebhookEndpoint({ workspace, id: params.id }))
    const object = { id: row.id, object: 'webhook_endpoint' as const, deleted: true as const }
    return { status: 'ok', object }
  },
})

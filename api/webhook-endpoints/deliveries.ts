import { z } from 'zod'
import { listDeliveries } from '../../db/webhook-deliveries.ts'
import { findEndpoint } from '../../db/webhook-endpoints.ts'
import { deliveryObject } from '../../domain/objects/webhook-delivery.ts'
import { notFound } from '../points-refusal.ts'
import { id, idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { WebhookDelivery } from '../schemas/webhook-endpoints.ts'
import { endpoint } from '../server/endpoint.ts'

export const listWebhookDeliveries = endpoint({
  method: 'GET',
  path: '/v1/webhook_endpoints/{id}/deliveries',
  summary: 'List deliveries to an endpoint',
  description: 'Newest first; each with every try and the first 2 KB of its answer.',
  tags: ['webhook_endpoints'],
  key: 'secret',
  params: idPath('we'),
  query: listQuery('dlv', {
    status: z.enum(['pending', 'succeeded', 'failed']).optional(),
    event: id('evt').optional(),
  }),
  reply: listReply(WebhookDelivery),
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, query, deps }) => {
    const target = await findEndpoint(deps.pool, workspace, params.id)
    if (target === undefined) return notFound('webhook endpoint', params.id)
    const { status, event } = query
    const { rows, hasMore } = await listDeliveries(
      deps.pool,
      workspace,
      target.id,
      { status, event },
      pageOf(query),
    )
    const data = rows.map((row) => deliveryObject(row, livemode))
    return {
      status: 'ok',
      object: listOf(`/v1/webhook_endpoints/${target.id}/deliveries`, data, hasMore),
    }
  },
})

import { findEndpoint } from '../../db/webhook-endpoints.ts'
import { endpointObject } from '../../domain/objects/webhook-endpoint.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { WebhookEndpoint } from '../schemas/webhook-endpoints.ts'
import { endpoint } from '../server/endpoint.ts'

export const retrieveWebhookEndpoint = endpoint({
  method: 'GET',
  path: '/v1/webhook_endpoints/{id}',
  summary: 'Retrieve a webhook endpoint',
  tags: ['webhook_endpoints'],
  key: 'secret',
  params: idPath('we'),
  reply: WebhookEndpoint,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await findEndpoint(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('webhook endpoint', params.id)
    return { status: 'ok', object: endpointObject(row, livemode) }
  },
})

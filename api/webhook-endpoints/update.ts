import { findEndpoint } from '../../db/webhook-endpoints.ts'
import { endpointObject } from '../../domain/objects/webhook-endpoint.ts'
import { write } from '../contention.ts'
import { endpoint } from '../endpoint.ts'
import { WebhookEndpoint, WebhookEndpointUpdate } from '../objects/webhook-endpoint.ts'
import { notFound } from '../points-refusal.ts'
import { identityOf } from '../request-identity.ts'
import { idPath } from '../values/id.ts'
import { mergedMetadata } from '../values/metadata.ts'
import { refuseInsecure } from './create.ts'

export const updateWebhookEndpoint = endpoint({
  method: 'PATCH',
  path: '/v1/webhook_endpoints/{id}',
  summary: 'Update a webhook endpoint',
  description:
    'Disabling it fails what is pending; enabling it again sends nothing by itself (see replay).',
  tags: ['webhook_endpoints'],
  key: 'secret',
  params: idPath('we'),
  body: WebhookEndpointUpdate,
  reply: WebhookEndpoint,
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { workspace, livemode, params, body, deps } = ctx
    const before = await findEndpoint(deps.pool, workspace, params.id)
    if (before === undefined) return notFound('webhook endpoint', params.id)
    if (body.url !== undefined) refuseInsecure(livemode, body.url)
    const change = {
      url: body.url,
      enabledEvents: body.enabled_events,
      description: body.description,
      metadata: body.metadata && mergedMetadata(before.metadata, body.metadata),
    }
    const request = identityOf('PATCH /v1/webhook_endpoints/{id}', ctx)
    const row = await write(() =>
      deps.activities.updateWebhookEndpoint(request, params.id, change, body.status),
    )
    if (row === undefined) return notFound('webhook endpoint', params.id)
    return { status: 'ok', object: endpointObject(row, livemode) }
  },
})

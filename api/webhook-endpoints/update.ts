import type { EndpointRow } from '../../db/webhook-endpoints.ts'
import { endpointObject } from '../../domain/objects/webhook-endpoint.ts'
import { write } from '../contention.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { mergedMetadata } from '../schemas/text.ts'
import { WebhookEndpoint, WebhookEndpointUpdate } from '../schemas/webhook-endpoints.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'
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
    const { livemode, params, body, deps } = ctx
    const { url, enabled_events: enabledEvents, description, metadata, status } = body
    if (url !== undefined) refuseInsecure(livemode, url)
    const changeOf = (before: EndpointRow) => ({
      url,
      enabledEvents,
      description,
      metadata: metadata && mergedMetadata(before.metadata, metadata),
    })
    const request = identityOf('PATCH /v1/webhook_endpoints/{id}', ctx)
    const { value: row, replayed } = await write(() =>
      deps.commands.updateWebhookEndpoint(request, params.id, changeOf, { url, status }),
    )
    if (row === undefined) return notFound('webhook endpoint', params.id)
    return { status: 'ok', replayed, object: endpointObject(row, livemode) }
  },
})

import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { type EndpointRow, findEndpoint, listEndpoints } from '../../db/webhook-endpoints.ts'
import { newId } from '../../domain/ids.ts'
import { refuse } from '../../domain/refusal.ts'
import { ENDPOINT_STATUSES, endpointObject } from '../../domain/webhook-endpoint.ts'
import { id, idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { mergedMetadata } from '../schemas/text.ts'
import {
  NewWebhookEndpoint,
  SecretRoll,
  WebhookEndpoint,
  WebhookEndpointUpdate,
  WebhookEndpointWithSecret,
} from '../schemas/webhook-endpoints.ts'
import { created, updated } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

export const createWebhookEndpoint = endpoint({
  method: 'POST',
  path: '/v1/webhook_endpoints',
  summary: 'Add a webhook endpoint',
  description:
    'The secret is shown here and after a roll, and nowhere else. Private addresses are refused.',
  tags: ['webhook_endpoints'],
  key: 'secret',
  body: NewWebhookEndpoint,
  reply: WebhookEndpointWithSecret,
  successCodes: [201, 200],
  errors: ['idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { workspace, livemode, body, deps } = ctx
    refuseInsecure(livemode, body.url)
    const values = {
      workspace,
      id: newId('we'),
      url: body.url,
      enabledEvents: body.enabled_events,
      description: body.description ?? null,
      metadata: body.metadata,
    }
    const made = await deps.commands.createWebhookEndpoint(ctx.request, values)
    return created(made, (row) => ({ ...endpointObject(row, livemode), secret: row.secret }))
  },
})

/** In live mode what is sent is nobody else's to read. */
function refuseInsecure(livemode: boolean, url: string): void {
  if (livemode && !url.toLowerCase().startsWith('https:')) {
    refuse('parameter_invalid', 'url: live mode sends to https alone.', { param: 'url' })
  }
}

const path = '/v1/webhook_endpoints'

export const listWebhookEndpoints = endpoint({
  method: 'GET',
  path,
  summary: 'List webhook endpoints',
  tags: ['webhook_endpoints'],
  key: 'secret',
  query: listQuery('we', { status: z.enum(ENDPOINT_STATUSES).optional() }),
  reply: listReply(WebhookEndpoint),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const { rows, hasMore } = await listEndpoints(deps.pool, workspace, query.status, pageOf(query))
    const data = rows.map((row) => endpointObject(row, livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})

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
    const changed = await deps.commands.updateWebhookEndpoint(ctx.request, params.id, changeOf, {
      url,
      status,
    })
    return updated(changed, (row) => endpointObject(row, livemode))
  },
})

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
    const gone = await deps.commands.deleteWebhookEndpoint(ctx.request, params.id)
    const object = 'webhook_endpoint' as const
    return updated(gone, (id) => ({ id, object, deleted: true as const }))
  },
})

export const rollWebhookSecret = endpoint({
  method: 'POST',
  path: '/v1/webhook_endpoints/{id}/roll_secret',
  summary: 'Roll the signing secret',
  description: 'Both secrets sign until the overlap is over.',
  tags: ['webhook_endpoints'],
  key: 'secret',
  params: idPath('we'),
  body: SecretRoll,
  reply: WebhookEndpointWithSecret,
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { livemode, params, body, deps } = ctx
    const { overlap_hours: overlapHours } = body
    const changed = await deps.commands.rollWebhookSecret(ctx.request, params.id, overlapHours)
    return updated(changed, (row) => ({ ...endpointObject(row, livemode), secret: row.secret }))
  },
})

import { z } from 'zod'
import { missing, notFound } from '../../app/refusals.ts'
import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import { databaseNow } from '../../db/clock.ts'
import { readStartOf } from '../../db/day.ts'
import { readEventObjects } from '../../db/event-objects.ts'
import { findEvent } from '../../db/events.ts'
import { listDeliveries } from '../../db/webhook-deliveries.ts'
import { findEndpoint } from '../../db/webhook-endpoints.ts'
import { newId } from '../../domain/ids.ts'
import { refuse } from '../../domain/refusal.ts'
import { deliveryObject } from '../../domain/webhook-delivery.ts'
import { DELIVERY_STATUSES } from '../../domain/webhook-endpoint.ts'
import { Event } from '../schemas/events.ts'
import { id, idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { WebhookDelivery, WebhookReplay, WebhookReplayed } from '../schemas/webhook-endpoints.ts'
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
    status: z.enum(DELIVERY_STATUSES).optional(),
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

const BEGINNING = new Date(0)

export const replayWebhookEvents = endpoint({
  method: 'POST',
  path: '/v1/webhook_endpoints/{id}/replay',
  summary: 'Deliver events again',
  description:
    'One, some, or all of a window that the endpoint subscribes to. The event keeps its id: a receiver that has it already sees a repeat.',
  tags: ['webhook_endpoints'],
  key: 'secret',
  params: idPath('we'),
  body: WebhookReplay,
  reply: WebhookReplayed,
  successCodes: [202, 200],
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { workspace, params, body, operation, deps } = ctx
    const row = await findEndpoint(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('webhook endpoint', params.id)
    if (row.status === 'disabled') {
      return refuse('parameter_invalid', 'id: the endpoint is disabled.', { param: 'id' })
    }
    const events = body.event === undefined ? (body.events ?? null) : [body.event]
    for (const id of events ?? []) {
      if ((await findEvent(deps.pool, workspace, id)) === undefined) return missing('event', id)
    }
    const now = await databaseNow(deps.pool)
    const where = { pool: deps.pool, workspace }
    const replay = {
      workspace,
      endpoint: row.id,
      operation,
      events,
      from: (await readStartOf(where, body.created?.gte ?? BEGINNING)).toISOString(),
      to: (await readStartOf(where, body.created?.lt ?? now)).toISOString(),
    }
    const { value: deliveries, replayed } = await retryOnConflict(() =>
      deps.commands.replayWebhookEvents(ctx.request, replay),
    )
    return {
      status: 'accepted',
      replayed,
      object: { object: 'webhook_replay' as const, endpoint: row.id, deliveries },
    }
  },
})

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
    const { value: event, replayed } = await retryOnConflict(() =>
      deps.commands.testWebhookEndpoint(ctx.request, params.id, newId('evt')),
    )
    if (event === null) {
      return refuse('parameter_invalid', 'id: the endpoint is disabled.', { param: 'id' })
    }
    const row = await findEvent(deps.pool, workspace, event)
    const [object] = row === undefined ? [] : await readEventObjects(deps.pool, ctx, [row])
    return object === undefined ? notFound('event', event) : { status: 'created', replayed, object }
  },
})

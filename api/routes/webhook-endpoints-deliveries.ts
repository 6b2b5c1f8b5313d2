import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { databaseNow, readStartOf } from '../../db/clock.ts'
import { readEventObjects } from '../../db/event-objects.ts'
import { findEvent } from '../../db/events.ts'
import { listDeliveries } from '../../db/webhook-deliveries.ts'
import { findEndpoint } from '../../db/webhook-endpoints.ts'
import { newId } from '../../domain/ids.ts'
import { deliveryObject } from '../../domain/webhook-delivery.ts'
import { DELIVERY_STATUSES } from '../../domain/webhook-endpoint.ts'
import { Event } from '../schemas/events.ts'
import { id, idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { WebhookDelivery, WebhookReplay, WebhookReplayed } from '../schemas/webhook-endpoints.ts'
import { created } from '../server/declaration.ts'
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
    const events = body.event === undefined ? (body.events ?? null) : [body.event]
    const now = await databaseNow(deps.pool)
    const where = { pool: deps.pool, workspace }
    const replay = {
      workspace,
      endpoint: params.id,
      operation,
      events,
      from: (await readStartOf(where, body.created?.gte ?? BEGINNING)).toISOString(),
      to: (await readStartOf(where, body.created?.lt ?? now)).toISOString(),
    }
    const { row: deliveries, replayed } = await deps.commands.replayWebhookEvents(
      ctx.request,
      replay,
    )
    return {
      status: 'accepted',
      replayed,
      object: { object: 'webhook_replay' as const, endpoint: params.id, deliveries },
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
    const { commands, pool } = deps
    const tested = await commands.testWebhookEndpoint(ctx.request, params.id, newId('evt'))
    return created(tested, async (event) => {
      const row = await findEvent(pool, workspace, event)
      const [object] = row === undefined ? [] : await readEventObjects(pool, ctx, [row])
      return object ?? notFound('event', event)
    })
  },
})

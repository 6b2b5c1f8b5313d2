import { databaseNow } from '../../db/clock.ts'
import { readStartOf } from '../../db/day.ts'
import { findEvent } from '../../db/events.ts'
import { findEndpoint } from '../../db/webhook-endpoints.ts'
import { refuse } from '../../domain/refusal.ts'
import { write } from '../contention.ts'
import { missing, notFound } from '../points-refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { WebhookReplay, WebhookReplayed } from '../schemas/webhook-endpoints.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'

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
    const request = identityOf('POST /v1/webhook_endpoints/{id}/replay', ctx)
    const { value: deliveries, replayed } = await write(() =>
      deps.commands.replayWebhookEvents(request, replay),
    )
    return {
      status: 'accepted',
      replayed,
      object: { object: 'webhook_replay' as const, endpoint: row.id, deliveries },
    }
  },
})

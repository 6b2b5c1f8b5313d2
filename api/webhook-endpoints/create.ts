import { findEndpoint } from '../../db/webhook-endpoints.ts'
import { newId } from '../../domain/ids.ts'
import { endpointObject } from '../../domain/objects/webhook-endpoint.ts'
import { refuse } from '../../domain/refusal.ts'
import { write } from '../contention.ts'
import { notFound } from '../points-refusal.ts'
import { NewWebhookEndpoint, WebhookEndpointWithSecret } from '../schemas/webhook-endpoints.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'

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
    const request = identityOf('POST /v1/webhook_endpoints', ctx)
    const values = {
      workspace,
      id: newId('we'),
      url: body.url,
      enabledEvents: body.enabled_events,
      description: body.description ?? null,
      metadata: body.metadata,
    }
    const created = await write(() => deps.commands.createWebhookEndpoint(request, values))
    if ('row' in created) {
      const { row } = created
      return {
        status: 'created',
        object: { ...endpointObject(row, livemode), secret: row.secret },
      }
    }
    const row = await findEndpoint(deps.pool, workspace, created.replayOf)
    if (row === undefined) return notFound('webhook endpoint', created.replayOf)
    const object = { ...endpointObject(row, livemode), secret: row.secret }
    return { status: 'ok', replayed: true, object }
  },
})

/** In live mode what is sent is nobody else's to read. */
export function refuseInsecure(livemode: boolean, url: string): void {
  if (livemode && !url.toLowerCase().startsWith('https:')) {
    refuse('parameter_invalid', 'url: live mode sends to https alone.', { param: 'url' })
  }
}

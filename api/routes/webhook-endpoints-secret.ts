import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import { endpointObject } from '../../domain/objects/webhook-endpoint.ts'
import { idPath } from '../schemas/ids.ts'
import { SecretRoll, WebhookEndpointWithSecret } from '../schemas/webhook-endpoints.ts'
import { endpoint } from '../server/endpoint.ts'
import { updated } from '../server/replies.ts'

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
    const changed = await retryOnConflict(() =>
      deps.commands.rollWebhookSecret(ctx.request, params.id, body.overlap_hours),
    )
    return updated('webhook endpoint', params.id, changed, (row) => ({
      ...endpointObject(row, livemode),
      secret: row.secret,
    }))
  },
})

import type { OpenAPIRegistry } from '@asteasolutions/zod-to-openapi'
import { z } from 'zod'
import { EVENT_PAYLOADS, eventOfType } from '../schemas/event-payloads.ts'

const SIGNATURE = z.string().meta({
  example: 't=1717113600,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd',
})

const Headers = z.object({
  'x-vinr-signature': SIGNATURE.meta({
    description: '`t`, unix seconds, and `v1`, the hex HMAC-SHA256 of `<t>.<body>` by the secret.',
  }),
  'x-vinr-timestamp': z.string(),
  'webhook-id': z.string().meta({
    description: "The event's id, by which one that comes again is known.",
  }),
  'webhook-timestamp': z.string(),
  'webhook-signature': z.string().meta({ description: 'As Standard Webhooks has it.' }),
})

/** Adds what the platform sends to endpoints: a webhook for each type of event, from the objects it carries. */
export function registerWebhooks(registry: OpenAPIRegistry): void {
  for (const [type, fact] of Object.entries(EVENT_PAYLOADS)) {
    registry.registerWebhook({
      method: 'post',
      path: type,
      operationId: `on_${type.replaceAll('.', '_')}`,
      summary: fact.summary,
      tags: ['webhook_endpoints'],
      security: [],
      request: {
        headers: Headers,
        body: {
          required: true,
          content: { 'application/json': { schema: eventOfType(type, fact) } },
        },
      },
      responses: {
        '2XX': {
          description: 'Taken. Anything else within ten seconds, or nothing, is tried again.',
        },
        410: { description: 'The endpoint is disabled, and gets no more.' },
      },
    })
  }
}

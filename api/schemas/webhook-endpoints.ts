import { z } from 'zod'
import {
  DELIVERY_STATUSES,
  DISABLED_REASONS,
  ENDPOINT_STATUSES,
} from '../../domain/webhook-endpoint.ts'
import { eventPattern } from './events.ts'
import { id } from './ids.ts'
import { metadata, metadataUpdate, text } from './text.ts'
import { time, windowTime } from './times.ts'

const LONGEST_URL = 2_048
const LONGEST_DESCRIPTION = 500
const MOST_PATTERNS = 100
const MOST_REPLAYED = 100
const LONGEST_OVERLAP_HOURS = 168

/** Where events are sent: http or https, without credentials. Live mode takes https alone. */
const url = text(LONGEST_URL)
  .refine(isTarget, 'expected an http or https URL without credentials')
  .meta({ format: 'uri', example: 'https://shop.example/webhooks' })

const enabledEvents = z.array(eventPattern).min(1).max(MOST_PATTERNS)
const secret = z
  .string()
  .meta({ description: '`whsec_…`; shown at creation and after a roll alone.' })

const fields = {
  id: id('we'),
  object: z.literal('webhook_endpoint'),
  url: z.string(),
  enabled_events: z.array(z.string()),
  description: z.string().nullable(),
  status: z.enum(ENDPOINT_STATUSES),
  disabled_reason: z.enum(DISABLED_REASONS).nullable(),
  previous_secret_expires_at: time.nullable(),
  health: z
    .object({
      failing_since: time.nullable(),
      last_success_at: time.nullable(),
      last_failure_at: time.nullable(),
    })
    .meta({ description: '`failing_since`: the first failure after the last success.' }),
  metadata,
  created_at: time,
  livemode: z.boolean(),
}

export const WebhookEndpoint = z.object(fields).meta({ id: 'WebhookEndpoint' })
export const WebhookEndpointWithSecret = z
  .object({ ...fields, secret })
  .meta({ id: 'WebhookEndpointWithSecret' })

export const NewWebhookEndpoint = z
  .strictObject({
    url,
    enabled_events: enabledEvents.default(['*']),
    description: text(LONGEST_DESCRIPTION).optional(),
    metadata: metadata.default({}),
  })
  .meta({ id: 'NewWebhookEndpoint' })

export const WebhookEndpointUpdate = z
  .strictObject({
    url: url.optional(),
    enabled_events: enabledEvents.optional(),
    description: text(LONGEST_DESCRIPTION).nullable().optional(),
    status: z.enum(ENDPOINT_STATUSES).optional(),
    metadata: metadataUpdate.optional(),
  })
  .meta({ id: 'WebhookEndpointUpdate' })

export const SecretRoll = z
  .strictObject({
    overlap_hours: z
      .number()
      .min(0)
      .max(LONGEST_OVERLAP_HOURS)
      .default(24)
      .meta({ description: 'How long the old secret signs beside the new one.' }),
  })
  .meta({ id: 'SecretRoll' })

export const WebhookReplay = z
  .strictObject({
    event: id('evt').optional(),
    events: z.array(id('evt')).min(1).max(MOST_REPLAYED).optional(),
    created: z.strictObject({ gte: windowTime, lt: windowTime.optional() }).optional().meta({
      description:
        'Events of this window that the endpoint subscribes to; unix seconds or ISO 8601, a bare date being the start of that day in `prog_default`’s time zone.',
    }),
  })
  .refine((body) => Object.values(body).filter((value) => value !== undefined).length === 1, {
    error: 'name one of event, events and created',
    path: ['event'],
  })
  .meta({ id: 'WebhookReplay' })

export const WebhookReplayed = z
  .object({
    object: z.literal('webhook_replay'),
    endpoint: id('we'),
    deliveries: z.number().int(),
  })
  .meta({ id: 'WebhookReplayed' })

const Attempt = z.object({
  at: time,
  url: z.string(),
  duration_ms: z.number(),
  response_status: z.number().int().optional(),
  response_body: z.string().optional().meta({ description: 'The first 2 KB.' }),
  error: z.string().optional().meta({ description: 'Why there was no answer.' }),
})

/** One event on its way to one endpoint, with each try. */
export const WebhookDelivery = z
  .object({
    id: id('dlv'),
    object: z.literal('webhook_delivery'),
    endpoint: id('we'),
    event: id('evt'),
    status: z.enum(DELIVERY_STATUSES),
    attempt: z.number().int().meta({ description: 'Tries so far.' }),
    next_attempt_at: time.nullable(),
    response_status: z.number().int().nullable().meta({ description: 'Of the last try.' }),
    replay: z.boolean(),
    attempts: z.array(Attempt),
    created_at: time,
    settled_at: time.nullable(),
    livemode: z.boolean(),
  })
  .meta({ id: 'WebhookDelivery' })

function isTarget(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, username, password, hostname } = new URL(value)
  return /^https?:$/.test(protocol) && hostname !== '' && username === '' && password === ''
}

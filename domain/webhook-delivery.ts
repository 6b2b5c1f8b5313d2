import { createHmac } from 'node:crypto'
import type { DeliveryStatus } from './webhook-endpoint.ts'

type DeliveryFacts = {
  readonly id: string
  readonly endpoint: string
  readonly event: string
  readonly status: DeliveryStatus
  readonly attempt: number
  readonly nextAttemptAt: Date | null
  readonly attempts: readonly {
    at: string
    url: string
    duration_ms: number
    response_status?: number
    response_body?: string
    error?: string
  }[]
  readonly operation: string | null
  readonly createdAt: Date
  readonly settledAt: Date | null
}

/** A delivery as the API shows it, with every try. */
export function deliveryObject(row: DeliveryFacts, livemode: boolean) {
  return {
    id: row.id,
    object: 'webhook_delivery' as const,
    endpoint: row.endpoint,
    event: row.event,
    status: row.status,
    attempt: row.attempt,
    next_attempt_at: row.nextAttemptAt?.toISOString() ?? null,
    response_status: row.attempts.at(-1)?.response_status ?? null,
    replay: row.operation !== null,
    attempts: [...row.attempts],
    created_at: row.createdAt.toISOString(),
    settled_at: row.settledAt?.toISOString() ?? null,
    livemode,
  }
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** How long after each failed try the next one comes; after the last the delivery has failed. */
const RETRY_DELAYS_MS = [
  MINUTE_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  24 * HOUR_MS,
  48 * HOUR_MS,
]

// Those that failed together shall not come back together.
const JITTER = 0.1
// A receiver may ask for patience, not for ever.
const LONGEST_RETRY_AFTER_MS = 48 * HOUR_MS

/** An endpoint that answered nothing well for so long is disabled: all retries of one event. */
export const FAILING_FOR_MS = 72 * HOUR_MS

/**
 * Milliseconds until the try after the `attempt`-th (from 1) failed one; null where that was the
 * last. Up to a tenth later by `random` (0 to 1), and never sooner than the receiver's Retry-After.
 */
export function retryDelayMs(
  attempt: number,
  retryAfterMs: number | null,
  random: number,
): number | null {
  const delay = RETRY_DELAYS_MS[attempt - 1]
  if (delay === undefined) return null
  const asked = Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS)
  return Math.round(Math.max(delay, asked) * (1 + JITTER * random))
}

/** A Retry-After header (seconds, or an HTTP date) in milliseconds from `nowMs`; null where it says nothing. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1_000
  const at = Date.parse(header)
  return Number.isNaN(at) ? null : Math.max(at - nowMs, 0)
}

/**
 * The headers that prove an event's origin, by both schemes, over `body` at `timestamp` (unix
 * seconds). `x-vinr-signature` keys with the whole secret as text, Standard Webhooks with the
 * bytes behind `whsec_`. During a roll both secrets sign.
 */
export function signatureHeaders(
  secrets: readonly string[],
  event: string,
  timestamp: number,
  body: string,
): Record<string, string> {
  const ours = secrets.map(
    (secret) => `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`,
  )
  const standard = secrets.map(
    (secret) =>
      `v1,${createHmac('sha256', keyBytes(secret)).update(`${event}.${timestamp}.${body}`).digest('base64')}`,
  )
  return {
    'x-vinr-signature': [`t=${timestamp}`, ...ours].join(','),
    'x-vinr-timestamp': String(timestamp),
    'webhook-id': event,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': standard.join(' '),
  }
}

const keyBytes = (secret: string) => Buffer.from(secret.replace(/^whsec_/, ''), 'base64')

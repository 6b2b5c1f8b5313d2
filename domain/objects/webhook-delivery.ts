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

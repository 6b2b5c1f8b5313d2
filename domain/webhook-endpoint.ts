export const ENDPOINT_STATUSES = ['enabled', 'disabled'] as const
type EndpointStatus = (typeof ENDPOINT_STATUSES)[number]

export const DISABLED_REASONS = ['by_request', 'gone', 'failing'] as const
type DisabledReason = (typeof DISABLED_REASONS)[number]

export const DELIVERY_STATUSES = ['pending', 'succeeded', 'failed'] as const
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number]

type EndpointFacts = {
  readonly id: string
  readonly url: string
  readonly enabledEvents: readonly string[]
  readonly description: string | null
  readonly status: EndpointStatus
  readonly disabledReason: DisabledReason | null
  readonly previousSecretExpiresAt: Date | null
  readonly failingSince: Date | null
  readonly lastSuccessAt: Date | null
  readonly lastFailureAt: Date | null
  readonly metadata: Record<string, string>
  readonly createdAt: Date
}

const iso = (at: Date | null) => at?.toISOString() ?? null

/** A webhook endpoint as the API and events show it; never its secret. */
export function endpointObject(row: EndpointFacts, livemode: boolean) {
  return {
    id: row.id,
    object: 'webhook_endpoint' as const,
    url: row.url,
    enabled_events: [...row.enabledEvents],
    description: row.description,
    status: row.status,
    disabled_reason: row.disabledReason,
    previous_secret_expires_at: iso(row.previousSecretExpiresAt),
    health: {
      failing_since: iso(row.failingSince),
      last_success_at: iso(row.lastSuccessAt),
      last_failure_at: iso(row.lastFailureAt),
    },
    metadata: row.metadata,
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}

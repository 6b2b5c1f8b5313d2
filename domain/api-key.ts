import type { Maker } from './actor.ts'
import type { KeyKind } from './secrets.ts'

export const API_KEY_STATUSES = ['active', 'expired', 'revoked'] as const
type ApiKeyStatus = (typeof API_KEY_STATUSES)[number]

type ApiKeyFacts = {
  readonly id: string
  readonly kind: KeyKind
  readonly name: string | null
  readonly prefix: string | null
  readonly last4: string
  readonly scopes: readonly string[]
  readonly createdBy: Maker | null
  readonly lastUsedAt: Date | null
  readonly expiresAt: Date | null
  readonly previousExpiresAt: Date | null
  readonly revokedAt: Date | null
  readonly createdAt: Date
}

const iso = (at: Date | null) => at?.toISOString() ?? null

/** What may be done with a key at `now`; a revocation counts before an expiry. */
export function apiKeyStatus(
  { revokedAt, expiresAt }: Pick<ApiKeyFacts, 'revokedAt' | 'expiresAt'>,
  now: Date,
): ApiKeyStatus {
  if (revokedAt !== null && revokedAt <= now) return 'revoked'
  return expiresAt !== null && expiresAt <= now ? 'expired' : 'active'
}

/** An API key as the API shows it; never its secret. */
export function apiKeyObject(row: ApiKeyFacts, livemode: boolean, now: Date) {
  const overlaps = row.previousExpiresAt !== null && row.previousExpiresAt > now
  return {
    id: row.id,
    object: 'api_key' as const,
    name: row.name,
    type: row.kind,
    prefix: row.prefix ?? `${row.kind === 'secret' ? 'sk' : 'pk'}_${livemode ? 'live' : 'test'}_`,
    last4: row.last4,
    scopes: row.kind === 'publishable' ? [] : [...row.scopes],
    status: apiKeyStatus(row, now),
    created_by: row.createdBy,
    last_used_at: iso(row.lastUsedAt),
    expires_at: iso(row.expiresAt),
    previous_secret_expires_at: overlaps ? iso(row.previousExpiresAt) : null,
    revoked_at: iso(row.revokedAt),
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}

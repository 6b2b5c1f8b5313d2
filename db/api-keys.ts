import type { Pool } from './pool.ts'

export type ApiKey = {
  workspace: string
  id: string
  kind: 'secret' | 'publishable'
  livemode: boolean
  expiresAt: Date | null
  revokedAt: Date | null
}

/** The key with this sha256 (hex), whichever workspace it belongs to. */
export async function findApiKey(pool: Pool, hash: string): Promise<ApiKey | undefined> {
  const { rows } = await pool.query<ApiKey>({
    name: 'api_key_find',
    text: `select workspace, id, kind, livemode, expires_at as "expiresAt", revoked_at as "revokedAt" from ledger.api_key_find($1)`,
    values: [hash],
  })
  return rows[0]
}

export type PaymentSecret = {
  workspace: string
  livemode: boolean
  /** Whose events it signs; stays when the secret is rolled. */
  endpoint: string
  secret: string
  /** Where the generic provider finds what in its body. */
  mapping: Record<string, unknown> | null
}

/**
 * The signing secrets that may speak at a payment provider's shared address, of all workspaces: the one
 * that verifies names the workspace.
 */
export async function findPaymentSecrets(pool: Pool, provider: string): Promise<PaymentSecret[]> {
  const { rows } = await pool.query<PaymentSecret>({
    name: 'payment_secrets_find',
    text: 'select workspace, livemode, endpoint, secret, mapping from ledger.payment_secrets_find($1)',
    values: [provider],
  })
  return rows
}

/** The signing secrets of one provider endpoint, the newest first; none where there is no such endpoint. */
export async function findEndpointSecrets(
  pool: Pool,
  provider: string,
  endpoint: string,
): Promise<PaymentSecret[]> {
  const { rows } = await pool.query<PaymentSecret>({
    name: 'payment_endpoint_secrets',
    text: 'select workspace, livemode, endpoint, secret, mapping from ledger.payment_endpoint_secrets($1, $2)',
    values: [provider, endpoint],
  })
  return rows
}

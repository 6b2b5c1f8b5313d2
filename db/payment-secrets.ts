import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import { paymentEndpointSecrets, paymentSecretsFind } from './ledger.gen.ts'
import type { Pool } from './pool.ts'
import { paymentSecret } from './schema/index.ts'
import type { Db } from './workspace-client.ts'

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
export const findPaymentSecrets = (pool: Pool, provider: string): Promise<PaymentSecret[]> =>
  paymentSecretsFind(pool, { provider })

/** The signing secrets of one provider endpoint, the newest first; none where there is no such endpoint. */
export const findEndpointSecrets = (
  pool: Pool,
  provider: string,
  endpoint: string,
): Promise<PaymentSecret[]> => paymentEndpointSecrets(pool, { provider, endpoint })

type NewPaymentSecret = typeof paymentSecret.$inferInsert

/** The endpoint that the secret signs for: where the workspace's provider has it already, its own. */
export async function insertPaymentSecret(tx: Db, secret: NewPaymentSecret): Promise<string> {
  const [known] = await tx
    .select({ endpoint: paymentSecret.endpoint })
    .from(paymentSecret)
    .where(
      and(
        eq(paymentSecret.workspace, secret.workspace),
        eq(paymentSecret.provider, secret.provider),
        eq(paymentSecret.secret, secret.secret),
        isNull(paymentSecret.revokedAt),
      ),
    )
  if (known !== undefined) return known.endpoint
  await tx.insert(paymentSecret).values(secret)
  return secret.endpoint
}

type NextPaymentSecret = {
  id: string
  secret: string
  /** Null keeps the endpoint's. */
  mapping: Record<string, unknown> | null
  /** How long the secrets before it are taken as well. */
  overlapHours: number
}

/** The endpoint's provider; undefined where the workspace has no such endpoint. */
export async function rollPaymentSecret(
  tx: Db,
  inWorkspace: string,
  endpoint: string,
  { id, secret, mapping, overlapHours }: NextPaymentSecret,
): Promise<{ provider: string } | undefined> {
  const ofEndpoint = and(
    eq(paymentSecret.workspace, inWorkspace),
    eq(paymentSecret.endpoint, endpoint),
  )
  const [newest] = await tx
    .select()
    .from(paymentSecret)
    .where(ofEndpoint)
    .orderBy(desc(paymentSecret.createdAt), desc(paymentSecret.id))
    .limit(1)
    .for('update')
  if (newest === undefined || newest.secret === secret) return newest
  await tx
    .update(paymentSecret)
    .set({ revokedAt: sql`clock_timestamp() + make_interval(secs => ${overlapHours * 3_600})` })
    .where(and(ofEndpoint, isNull(paymentSecret.revokedAt)))
  await tx.insert(paymentSecret).values({
    ...newest,
    id,
    secret,
    mapping: mapping ?? newest.mapping,
    createdAt: sql`clock_timestamp()`,
    revokedAt: null,
  })
  return newest
}

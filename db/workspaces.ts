import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import { apiKey, paymentSecret, program, workspace } from './schema/index.ts'
import type { Db } from './workspace-client.ts'

/** The program that every workspace has. */
export const DEFAULT_PROGRAM = 'prog_default'

export async function insertWorkspace(
  tx: Db,
  id: string,
  name: string,
  livemode: boolean,
): Promise<void> {
  await tx.insert(workspace).values({ id, name, livemode }).onConflictDoNothing()
  await tx
    .insert(program)
    .values({ workspace: id, id: DEFAULT_PROGRAM, name })
    .onConflictDoNothing()
}

export async function hasWorkspace(tx: Db, id: string): Promise<boolean> {
  const rows = await tx.select({ id: workspace.id }).from(workspace).where(eq(workspace.id, id))
  return rows.length > 0
}

/** Undefined where there is no such workspace. */
export async function readLivemode(tx: Db, id: string): Promise<boolean | undefined> {
  const rows = await tx
    .select({ livemode: workspace.livemode })
    .from(workspace)
    .where(eq(workspace.id, id))
  return rows[0]?.livemode
}

type NewApiKey = typeof apiKey.$inferInsert

export async function insertApiKey(tx: Db, key: NewApiKey): Promise<void> {
  await tx.insert(apiKey).values(key).onConflictDoNothing()
}

/** False where the workspace has no such key. */
export async function revokeApiKey(
  tx: Db,
  inWorkspace: string,
  id: string,
  at: Date,
): Promise<boolean> {
  const rows = await tx
    .update(apiKey)
    .set({ revokedAt: at })
    .where(and(eq(apiKey.workspace, inWorkspace), eq(apiKey.id, id)))
    .returning()
  return rows.length > 0
}

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

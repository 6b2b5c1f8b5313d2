import { and, eq, isNull, sql } from 'drizzle-orm'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { webhookDelivery, webhookEndpoint } from './schema/index.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

export type EndpointRow = typeof webhookEndpoint.$inferSelect
export type NewEndpoint = Pick<
  EndpointRow,
  'workspace' | 'id' | 'url' | 'enabledEvents' | 'description' | 'metadata' | 'secret'
>
export type EndpointChange = Partial<
  Pick<EndpointRow, 'url' | 'enabledEvents' | 'description' | 'metadata'>
>

const NOW = sql`clock_timestamp()`
const live = (workspace: string, id: string) =>
  and(
    eq(webhookEndpoint.workspace, workspace),
    eq(webhookEndpoint.id, id),
    isNull(webhookEndpoint.deletedAt),
  )

export const findEndpoint = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<EndpointRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db.select().from(webhookEndpoint).where(live(workspace, id))
    return rows[0]
  })

export const listEndpoints = (
  pool: Pool,
  workspace: string,
  status: EndpointRow['status'] | undefined,
  page: PageRequest,
): Promise<Page<EndpointRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(db, webhookEndpoint, page, [
      eq(webhookEndpoint.workspace, workspace),
      isNull(webhookEndpoint.deletedAt),
      status && eq(webhookEndpoint.status, status),
    ]),
  )

export async function insertEndpoint(tx: Db, values: NewEndpoint): Promise<EndpointRow> {
  const rows = await tx
    .insert(webhookEndpoint)
    .values({ ...values, createdAt: NOW })
    .returning()
  if (!rows[0]) throw new Error('webhook endpoint was not inserted')
  return rows[0]
}

/** The endpoint as it is, locked against another change until the transaction ends. */
export async function lockEndpoint(
  tx: Db,
  workspace: string,
  id: string,
): Promise<EndpointRow | undefined> {
  const rows = await tx
    .select()
    .from(webhookEndpoint)
    .where(live(workspace, id))
    .for('no key update')
  return rows[0]
}

/** The fields given; undefined where there is no such endpoint. */
export async function updateEndpoint(
  tx: Db,
  workspace: string,
  id: string,
  change: EndpointChange,
): Promise<EndpointRow | undefined> {
  const rows = await tx
    .update(webhookEndpoint)
    .set({ id, ...change, ...(change.enabledEvents && { subscribedSince: NOW }) }) // never an empty set
    .where(live(workspace, id))
    .returning()
  return rows[0]
}

/** Enables it again, with a clean record; nothing that failed meanwhile is sent by that. */
export async function enableEndpoint(tx: Db, workspace: string, id: string): Promise<void> {
  await tx
    .update(webhookEndpoint)
    .set({
      status: 'enabled',
      disabledReason: null,
      failingSince: null,
      subscribedSince: NOW,
      subscribedUntil: null,
    })
    .where(and(live(workspace, id), eq(webhookEndpoint.status, 'disabled')))
}

/** Disables it, as `webhook_disable` says. */
export async function disableEndpoint(tx: Db, workspace: string, id: string): Promise<void> {
  await tx.execute(sql`
    select ledger.webhook_disable(w, 'by_request') from webhook_endpoint w
    where w.workspace = ${workspace} and w.id = ${id} and w.deleted_at is null for update`)
}

export async function markDeleted(tx: Db, workspace: string, id: string): Promise<void> {
  await tx.update(webhookEndpoint).set({ deletedAt: NOW }).where(live(workspace, id))
}

/** The new secret signs at once; the old one beside it for `overlapHours` more (0: not at all). */
export async function rollSecret(
  tx: Db,
  workspace: string,
  id: string,
  secret: string,
  overlapHours: number,
): Promise<EndpointRow | undefined> {
  const rows = await tx
    .update(webhookEndpoint)
    .set({
      secret,
      previousSecret: sql`${webhookEndpoint.secret}`,
      previousSecretExpiresAt: sql`clock_timestamp() + make_interval(secs => ${overlapHours * 3_600})`,
    })
    .where(live(workspace, id))
    .returning()
  return rows[0]
}

export type Replay = {
  workspace: string
  endpoint: string
  operation: string
  /** Their ids, or null for a window. */
  events: string[] | null
  /** ISO 8601; the first is in the window, the second is not. */
  from: string
  to: string
}

/** How many deliveries the operation made. */
export const countReplayed = (
  tx: Db,
  { workspace, endpoint, operation }: Pick<Replay, 'workspace' | 'endpoint' | 'operation'>,
): Promise<number> =>
  tx.$count(
    webhookDelivery,
    and(
      eq(webhookDelivery.workspace, workspace),
      eq(webhookDelivery.endpoint, endpoint),
      eq(webhookDelivery.operation, operation),
    ),
  )

import { and, eq, inArray } from 'drizzle-orm'
import { call } from './call.ts'
import { type EventObject, readEventObjects } from './event-objects.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import type { DeliveryBatch } from './results/webhook.ts'
import { event, webhookDelivery } from './schema/index.ts'
import type { DeliveryAttempt } from './schema/webhook.ts'
import { inWorkspace } from './workspace-client.ts'

export type { DeliveryBatch, DueDelivery } from './results/webhook.ts'

type DeliveryRow = typeof webhookDelivery.$inferSelect
/** The functions of db/sql/webhook.sql, where each says what it guarantees. */
export const takeDeliveries = (
  pool: Pool,
  workspace: string,
  endpoint: string,
  taken: string[],
  limit: number,
  busyMs: number,
) => call<DeliveryBatch>(pool, 'webhook_take', [workspace, endpoint, taken, limit, busyMs])

export const restEndpoint = (pool: Pool, workspace: string, endpoint: string) =>
  call<unknown>(pool, 'webhook_rest', [workspace, endpoint])

export const nextDue = (pool: Pool, workspace: string, endpoint: string) =>
  call<{ at: string | null; due: boolean; in_ms: number | null }>(pool, 'webhook_next_due', [
    workspace,
    endpoint,
  ])

type Settle = {
  workspace: string
  endpoint: string
  delivery: string
  /** From 1. */
  attempt: number
  log: DeliveryAttempt
  ok: boolean
  gone: boolean
  /** null: that was the last try. */
  retryMs: number | null
  failingForMs: number
}

export const settleDelivery = (pool: Pool, s: Settle) =>
  call<{ disabled: boolean }>(pool, 'webhook_settle', [
    s.workspace,
    s.endpoint,
    s.delivery,
    s.attempt,
    s.log,
    s.ok,
    s.gone,
    s.retryMs,
    s.failingForMs,
  ])

export const listDueEndpoints = (
  pool: Pool,
  workspace: string,
  asked: { endpoint: string; underway: string[] }[],
) => call<string[]>(pool, 'webhook_due', [workspace, JSON.stringify(asked)])

/** These events as they are sent, by id. */
export async function readEventsToSend(
  pool: Pool,
  workspace: { workspace: string; livemode: boolean },
  ids: string[],
): Promise<Map<string, EventObject>> {
  const rows = await inWorkspace(pool, workspace.workspace, (db) =>
    db
      .select()
      .from(event)
      .where(and(eq(event.workspace, workspace.workspace), inArray(event.id, ids))),
  )
  const objects = await readEventObjects(pool, workspace, rows)
  return new Map(objects.map((object) => [object.id, object]))
}

type DeliveryFilter = { status?: DeliveryRow['status']; event?: string }

export const listDeliveries = (
  pool: Pool,
  workspace: string,
  endpoint: string,
  { status, event: about }: DeliveryFilter,
  page: PageRequest,
): Promise<Page<DeliveryRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(
      db,
      webhookDelivery,
      page,
      [
        eq(webhookDelivery.workspace, workspace),
        eq(webhookDelivery.endpoint, endpoint),
        status && eq(webhookDelivery.status, status),
        about && eq(webhookDelivery.event, about),
      ],
      true,
    ),
  )

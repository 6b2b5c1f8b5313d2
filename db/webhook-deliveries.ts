import { and, eq, inArray } from 'drizzle-orm'
import { type EventObject, readEventObjects } from './event-objects.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { event, webhookDelivery } from './schema/index.ts'
import { inWorkspace } from './workspace-client.ts'

type DeliveryRow = typeof webhookDelivery.$inferSelect
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

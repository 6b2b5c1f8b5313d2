import { and, eq, inArray, like, sql } from 'drizzle-orm'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { event, ptx } from './schema/index.ts'
import type { TransactionRow } from './transactions.ts'
import { inWorkspace } from './workspace-client.ts'

export type EventRow = typeof event.$inferSelect
type EventFilter = { type?: string; object?: string }

export const findEvent = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<EventRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db
      .select()
      .from(event)
      .where(and(eq(event.workspace, workspace), eq(event.id, id)))
    return rows[0]
  })

/** A type that ends in `.*` stands for all that begin so. Newest first, as they were written. */
export const listEvents = (
  pool: Pool,
  workspace: string,
  { type, object }: EventFilter,
  page: PageRequest,
): Promise<Page<EventRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(
      db,
      event,
      page,
      [eq(event.workspace, workspace), type && ofType(type), object && ofObject(object)],
      true,
    ),
  )

const ofType = (type: string) =>
  type.endsWith('.*') ? like(event.type, `${type.slice(0, -1)}%`) : eq(event.type, type)

// The event of a ptx carries the ptx's own 22 characters, and no data.
const ofObject = (object: string) =>
  object.startsWith('ptx_')
    ? and(eq(event.id, object.replace(/^ptx_/, 'evt_')), eq(event.object, object))
    : and(eq(event.object, object), sql`${event.data} is not null`)

/** The transactions that these events are about, by id. */
export const readEventTransactions = (
  pool: Pool,
  workspace: string,
  ids: string[],
): Promise<Map<string, TransactionRow>> =>
  inWorkspace(pool, workspace, async (db) => {
    if (ids.length === 0) return new Map<string, TransactionRow>()
    const rows = await db
      .select()
      .from(ptx)
      .where(and(eq(ptx.workspace, workspace), inArray(ptx.id, ids)))
    return new Map(rows.map((row) => [row.id, row]))
  })

import { and, eq, or, sql } from 'drizzle-orm'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { eventType, eventTypeVersion } from './schema/index.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

export type EventTypeRow = typeof eventType.$inferSelect
export type NewEventType = Pick<
  EventTypeRow,
  'workspace' | 'id' | 'name' | 'description' | 'schema'
>
export type EventTypeChange = Partial<Pick<EventTypeRow, 'description' | 'schema'>>

/** By its id or its name. */
export const findEventType = (
  pool: Pool,
  workspace: string,
  idOrName: string,
): Promise<EventTypeRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db.select().from(eventType).where(known(workspace, idOrName))
    return rows[0]
  })

const known = (workspace: string, idOrName: string) =>
  and(
    eq(eventType.workspace, workspace),
    or(eq(eventType.id, idOrName), eq(eventType.name, idOrName)),
  )

/** Every schema that the type ever had, newest first. */
export const listEventTypeVersions = (pool: Pool, workspace: string, id: string) =>
  inWorkspace(pool, workspace, (db) =>
    db
      .select()
      .from(eventTypeVersion)
      .where(and(eq(eventTypeVersion.workspace, workspace), eq(eventTypeVersion.eventType, id)))
      .orderBy(sql`${eventTypeVersion.version} desc`),
  )

export const listEventTypes = (
  pool: Pool,
  workspace: string,
  page: PageRequest,
): Promise<Page<EventTypeRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(db, eventType, page, [eq(eventType.workspace, workspace)]),
  )

/** Undefined where the workspace has a type of this name already. */
export async function insertEventType(
  tx: Db,
  values: NewEventType,
): Promise<EventTypeRow | undefined> {
  const rows = await tx.insert(eventType).values(values).onConflictDoNothing().returning()
  if (rows[0]) await keepVersion(tx, rows[0])
  return rows[0]
}

/** The event type as it is, by its id or its name, locked against another change until the transaction ends. */
export async function lockEventType(
  tx: Db,
  workspace: string,
  idOrName: string,
): Promise<EventTypeRow | undefined> {
  const rows = await tx
    .select()
    .from(eventType)
    .where(known(workspace, idOrName))
    .for('no key update')
  return rows[0]
}

/** A new schema is a new version; the earlier ones stay on record. Undefined where there is no such type. */
export async function updateEventType(
  tx: Db,
  workspace: string,
  id: string,
  change: EventTypeChange,
): Promise<EventTypeRow | undefined> {
  const isNewVersion = change.schema !== undefined
  const rows = await tx
    .update(eventType)
    .set({
      ...change,
      updatedAt: sql`clock_timestamp()`,
      ...(isNewVersion && { version: sql`${eventType.version} + 1` }),
    })
    .where(and(eq(eventType.workspace, workspace), eq(eventType.id, id)))
    .returning()
  if (rows[0] && isNewVersion) await keepVersion(tx, rows[0])
  return rows[0]
}

async function keepVersion(tx: Db, row: EventTypeRow): Promise<void> {
  const { workspace, id, version, schema } = row
  await tx.insert(eventTypeVersion).values({ workspace, eventType: id, version, schema })
}

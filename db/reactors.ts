import { and, count, eq, isNull, sql } from 'drizzle-orm'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { reactor } from './schema/index.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

export type ReactorRow = typeof reactor.$inferSelect
export type NewReactor = Omit<typeof reactor.$inferInsert, 'version' | 'createdAt' | 'deletedAt'>
export type ReactorChange = Partial<Omit<NewReactor, 'workspace' | 'id' | 'trigger'>>

const live = (workspace: string, id: string) =>
  and(eq(reactor.workspace, workspace), eq(reactor.id, id), isNull(reactor.deletedAt))

export const findReactor = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<ReactorRow | undefined> =>
  inWorkspace(
    pool,
    workspace,
    async (db) => (await db.select().from(reactor).where(live(workspace, id)))[0],
  )

type ReactorFilter = { trigger?: string; active?: boolean }

export const listReactors = (
  pool: Pool,
  workspace: string,
  { trigger, active }: ReactorFilter,
  page: PageRequest,
): Promise<Page<ReactorRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(db, reactor, page, [
      eq(reactor.workspace, workspace),
      isNull(reactor.deletedAt),
      trigger && eq(reactor.trigger, trigger),
      active !== undefined ? eq(reactor.active, active) : undefined,
    ]),
  )

/** How many reactors an event of this type has to be shown to. */
export async function readReactorCount(tx: Db, workspace: string, trigger: string) {
  const rows = await tx
    .select({ n: count() })
    .from(reactor)
    .where(
      and(
        eq(reactor.workspace, workspace),
        eq(reactor.trigger, trigger),
        isNull(reactor.deletedAt),
      ),
    )
  return rows[0]?.n ?? 0
}

export async function insertReactor(tx: Db, values: NewReactor): Promise<ReactorRow> {
  const rows = await tx.insert(reactor).values(values).returning()
  if (!rows[0]) throw new Error('reactor was not inserted')
  return rows[0]
}

/** The reactor as it is, locked against another change until the transaction ends. */
export async function lockReactor(
  tx: Db,
  workspace: string,
  id: string,
): Promise<ReactorRow | undefined> {
  const rows = await tx.select().from(reactor).where(live(workspace, id)).for('no key update')
  return rows[0]
}

/** Undefined where there is no such reactor. What it has done stays counted. */
export async function updateReactor(tx: Db, workspace: string, id: string, change: ReactorChange) {
  const rows = await tx
    .update(reactor)
    .set({ ...change, version: sql`${reactor.version} + 1` })
    .where(live(workspace, id))
    .returning()
  return rows[0]
}

export async function removeReactor(tx: Db, workspace: string, id: string): Promise<void> {
  await tx
    .update(reactor)
    .set({ deletedAt: sql`clock_timestamp()`, active: false, version: sql`${reactor.version} + 1` })
    .where(live(workspace, id))
}

import { and, eq, gt, isNotNull, ne, sql } from 'drizzle-orm'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { account, lot } from './schema/index.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

export type AccountRow = typeof account.$inferSelect
export type AccountFilter = { program?: string; customer?: string; status?: AccountRow['status'] }

export const findAccount = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<AccountRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db
      .select()
      .from(account)
      .where(and(eq(account.workspace, workspace), eq(account.id, id)))
    return rows[0]
  })

/** Merged accounts are left out unless asked for by status. */
export const listAccounts = (
  pool: Pool,
  workspace: string,
  filter: AccountFilter,
  page: PageRequest,
): Promise<Page<AccountRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(db, account, page, [
      eq(account.workspace, workspace),
      filter.program && eq(account.program, filter.program),
      filter.customer && eq(account.customer, filter.customer),
      filter.status ? eq(account.status, filter.status) : ne(account.status, 'merged'),
    ]),
  )

export type NewAccount = {
  workspace: string
  id: string
  program: string
  customer: string | null
  metadata: Record<string, string>
}

/** Undefined where the customer has an active account in the program already. */
export async function insertAccount(tx: Db, values: NewAccount): Promise<AccountRow | undefined> {
  const rows = await tx
    .insert(account)
    .values(values)
    .onConflictDoNothing({
      target: [account.workspace, account.program, account.customer],
      where: sql`status = 'active' and customer is not null`,
    })
    .returning()
  return rows[0]
}

export async function findActiveAccount(
  tx: Db,
  workspace: string,
  program: string,
  customer: string,
) {
  const rows = await tx
    .select()
    .from(account)
    .where(
      and(
        eq(account.workspace, workspace),
        eq(account.program, program),
        eq(account.customer, customer),
        eq(account.status, 'active'),
      ),
    )
  return rows[0]
}

export type ExpiringPoints = { points: number; expiresAt: Date }

/** What expires when, soonest first, and what is due already and only not yet written off. Smallest unit. */
export const readExpiring = (
  pool: Pool,
  workspace: string,
  ids: string[],
): Promise<Map<string, { expiring: ExpiringPoints[]; due: number }>> =>
  inWorkspace(pool, workspace, async (db) => {
    const result = new Map<string, { expiring: ExpiringPoints[]; due: number }>()
    if (ids.length === 0) return result
    const dueAt = sql<Date>`lot_due_at(lot, account.activity_extends_to)`
    const rows = await db
      .select({
        account: lot.account,
        expiresAt: dueAt.mapWith(lot.expiresAt),
        points: sql<number>`sum(${lot.remaining})`.mapWith(Number),
        isDue: sql<boolean>`lot_due_at(lot, account.activity_extends_to) <= clock_timestamp()`,
      })
      .from(lot)
      .innerJoin(account, and(eq(account.workspace, lot.workspace), eq(account.id, lot.account)))
      .where(
        and(
          eq(lot.workspace, workspace),
          sql`${lot.account} in ${ids}`,
          isNotNull(lot.expiresAt),
          gt(lot.remaining, 0),
          sql`lot.open`,
        ),
      )
      .groupBy(lot.account, dueAt)
      .orderBy(dueAt)
    for (const { account: id, points, expiresAt, isDue } of rows) {
      const entry = result.get(id) ?? { expiring: [], due: 0 }
      if (isDue) entry.due += points
      else entry.expiring.push({ points, expiresAt })
      result.set(id, entry)
    }
    return result
  })

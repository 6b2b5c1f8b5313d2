import { and, eq, gt, isNotNull, sql } from 'drizzle-orm'
import { accountBalanceAt, accountView } from './ledger.gen.ts'
import { type Page, type PageRequest, readPage, unknownCursor } from './page.ts'
import type { Pool } from './pool.ts'
import type { ViewAnswer } from './results/account.ts'
import { account, event, lot } from './schema/index.ts'
import { fromSnapshot, type Snapshot } from './snapshot.ts'
import { standingOf, type TierStanding } from './tiers.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

export type AccountRow = typeof account.$inferSelect
type AccountFilter = {
  program?: string
  customer?: string
  status?: AccountRow['status']
  /** Every pair must be on the account. */
  metadata?: Record<string, string>
}

/** The row behind what a ledger function answers. */
export const readAccountRow = (snapshot: Snapshot): AccountRow => fromSnapshot(account, snapshot)

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

// As `endingBefore`: the page that ends where the list does.
const END = ''

/**
 * Active ones first, then closed ones, each newest first, so that a customer's first one is the one
 * that counts. Merged accounts are left out unless asked for by status.
 */
export const listAccounts = (
  pool: Pool,
  workspace: string,
  filter: AccountFilter,
  page: PageRequest,
): Promise<Page<AccountRow>> =>
  inWorkspace(pool, workspace, async (db) => {
    const ofStatus = (status: AccountRow['status'], part: PageRequest) =>
      readPage(db, account, part, [
        eq(account.workspace, workspace),
        filter.program && eq(account.program, filter.program),
        // their own, and whom those that were merged became; an array, so that both come from an index
        filter.customer &&
          sql`(${account.customer} = ${filter.customer} or ${account.id} = any (array(
            select ledger.survivors_of_customer(${workspace}, ${filter.customer}))))`,
        filter.metadata && sql`${account.metadata} @> ${JSON.stringify(filter.metadata)}::jsonb`,
        eq(account.status, status),
      ])
    if (filter.status) return ofStatus(filter.status, page)
    const { startingAfter, endingBefore, ...rest } = page
    const cursor = startingAfter ?? endingBefore
    const backwards = endingBefore !== undefined
    const parts: AccountRow['status'][] = backwards ? ['closed', 'active'] : ['active', 'closed']
    if (cursor !== undefined) {
      const from = await listedAs(db, workspace, cursor)
      if (from === undefined) throw unknownCursor(page)
      parts.splice(0, parts.indexOf(from))
    }
    const rows: AccountRow[] = []
    for (const [index, status] of parts.entries()) {
      const part = index === 0 ? page : { ...rest, endingBefore: backwards ? END : undefined }
      const found = await ofStatus(status, { ...part, limit: rest.limit - rows.length })
      rows[backwards ? 'unshift' : 'push'](...found.rows)
      if (found.hasMore) return { rows, hasMore: true }
    }
    return { rows, hasMore: false }
  })

/** Among which an account stands; one that was merged since its page was read, among which it stood. */
async function listedAs(
  db: Db,
  workspace: string,
  id: string,
): Promise<AccountRow['status'] | undefined> {
  const before = sql<AccountRow['status'] | null>`(
    select e.previous ->> 'status' from ${event} e
    where e.workspace = ${workspace} and e.object = ${id} and e.type = 'loyalty.account.merged'
      and e.data is not null)`
  const rows = await db
    .select({ status: account.status, before })
    .from(account)
    .where(and(eq(account.workspace, workspace), eq(account.id, id)))
  const row = rows[0]
  return row?.status === 'merged' ? (row.before ?? 'active') : row?.status
}

export type NewAccount = {
  workspace: string
  id: string
  program: string
  customer: string | null
  metadata: Record<string, string>
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
    const dueAt = sql<Date>`ledger.lot_due_at(lot, account.activity_extends_to)`
    const rows = await db
      .select({
        account: lot.account,
        expiresAt: dueAt.mapWith(lot.expiresAt),
        points: sql<number>`sum(${lot.remaining})`.mapWith(Number),
        isDue: sql<boolean>`ledger.lot_due_at(lot, account.activity_extends_to) <= clock_timestamp()`,
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

/** The balance as it was at an instant, in the smallest unit; null: no such account. */
export const readBalanceAt = (pool: Pool, workspace: string, account: string, at: Date) =>
  accountBalanceAt(pool, { workspace, account, at })

export type AccountView = {
  row: AccountRow
  lots: { expiring: ExpiringPoints[]; due: number }
  pending: number
  tier: TierStanding | undefined
}

/** One account with all that is shown of it, in one round trip. Points in the smallest unit. */
export async function findAccountView(
  pool: Pool,
  workspace: string,
  id: string,
): Promise<AccountView | undefined> {
  const view = await accountView(pool, { workspace, id })
  return view === null ? undefined : viewOf(view)
}

export function viewOf(view: ViewAnswer): AccountView {
  const now = new Date(view.at)
  const lots: AccountView['lots'] = { expiring: [], due: 0 }
  for (const { points, expires_at } of view.lots ?? []) {
    const expiresAt = new Date(expires_at)
    if (expiresAt <= now) lots.due += points
    else lots.expiring.push({ points, expiresAt })
  }
  const tier = view.tier === null ? undefined : standingOf(view.tier)
  return { row: readAccountRow(view.account), lots, pending: view.pending, tier }
}

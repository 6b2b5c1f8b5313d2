import { and, eq, inArray, isNotNull, sql } from 'drizzle-orm'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { account, lot, ptx } from './schema/index.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

export type TransactionRow = typeof ptx.$inferSelect
export type TransactionType = TransactionRow['type']

/** Whether the operation was written: a repeat of it is answered with what it wrote, whatever the clock says now. */
export const isPosted = (pool: Pool, workspace: string, operation: string): Promise<boolean> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db
      .select({ id: ptx.id })
      .from(ptx)
      .where(and(eq(ptx.workspace, workspace), eq(ptx.operation, operation)))
    return rows.length > 0
  })

export const findTransaction = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<TransactionRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db
      .select()
      .from(ptx)
      .where(and(eq(ptx.workspace, workspace), eq(ptx.id, id)))
    return rows[0]
  })

type TransactionFilter = {
  account?: string
  type?: TransactionType
  program?: string
  payment?: string
  redemption?: string
  batch?: string
}

export const listTransactions = (
  pool: Pool,
  workspace: string,
  filter: TransactionFilter,
  page: PageRequest,
): Promise<Page<TransactionRow>> =>
  inWorkspace(pool, workspace, async (db) => {
    // one id for nearly everybody; `= any` of one would cost the index's order
    const members = filter.account && (await readFamily(db, workspace, filter.account))
    const ofProgram = db
      .select({ id: account.id })
      .from(account)
      .where(and(eq(account.workspace, workspace), eq(account.program, filter.program ?? '')))
    // a redemption's rows are all on its account's; the payment of one is read through it
    const throughRedemption = sql`${ptx.redemption} in (select d.id from redemption d
      where d.workspace = ${workspace} and d.payment = ${filter.payment})`
    return readPage(
      db,
      ptx,
      page,
      [
        eq(ptx.workspace, workspace),
        members &&
          (members.length === 1
            ? eq(ptx.account, members[0] ?? '')
            : inArray(ptx.account, members)),
        filter.type && eq(ptx.type, filter.type),
        filter.program && inArray(ptx.account, ofProgram),
        filter.payment && sql`(${ptx.payment} = ${filter.payment} or ${throughRedemption})`,
        filter.redemption &&
          sql`${ptx.redemption} = ${filter.redemption} and ${ptx.account} in (
            select ledger.account_family(d.workspace, d.account) from redemption d
            where d.workspace = ${workspace} and d.id = ${filter.redemption})`,
        filter.batch && eq(ptx.batch, filter.batch),
      ],
      true,
    )
  })

/** The account and all that were merged into it: their rows are its history. */
export async function readFamily(db: Db, workspace: string, id: string): Promise<string[]> {
  const { rows } = await db.execute<{ id: string }>(
    sql`select ledger.account_family(${workspace}, ${id}) as id`,
  )
  return rows.map((row) => row.id)
}

/** For those of these accounts that were merged, where their rows are read now. */
export const readSurvivors = (
  pool: Pool,
  workspace: string,
  accounts: string[],
): Promise<Map<string, string>> =>
  inWorkspace(pool, workspace, async (db) => {
    if (accounts.length === 0) return new Map<string, string>()
    const { rows } = await db.execute<{ id: string; survivor: string }>(
      sql`select id, ledger.account_survivor(workspace, id) as survivor from account
        where workspace = ${workspace} and id in ${accounts} and merged_into is not null`,
    )
    return new Map(rows.map((row) => [row.id, row.survivor]))
  })

/** When what these credits brought expires as it stands now, by transaction; those that never do are left out. */
export const readExpiryOfCredits = (
  pool: Pool,
  workspace: string,
  credits: string[],
): Promise<Map<string, Date>> =>
  inWorkspace(pool, workspace, async (db) => {
    if (credits.length === 0) return new Map<string, Date>()
    const dueAt = sql<Date>`ledger.lot_due_at(lot, account.activity_extends_to)`.mapWith(
      lot.expiresAt,
    )
    const rows = await db
      .select({ id: lot.id, dueAt })
      .from(lot)
      .innerJoin(account, and(eq(account.workspace, lot.workspace), eq(account.id, lot.account)))
      .where(and(eq(lot.workspace, workspace), inArray(lot.id, credits), isNotNull(lot.expiresAt)))
    return new Map(rows.map((row) => [row.id, row.dueAt]))
  })

/** The payments of these redemptions: a redemption row's source is read through its redemption. */
export const paymentsOfRedemptions = (
  pool: Pool,
  workspace: string,
  redemptions: string[],
): Promise<Map<string, string>> =>
  inWorkspace(pool, workspace, async (db) => {
    if (redemptions.length === 0) return new Map<string, string>()
    const { rows } = await db.execute<{ id: string; payment: string }>(
      sql`select id, payment from redemption where workspace = ${workspace} and id in ${redemptions} and payment is not null`,
    )
    return new Map(rows.map((row) => [row.id, row.payment]))
  })

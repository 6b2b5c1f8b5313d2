import { and, eq, sql } from 'drizzle-orm'
import { creditLiability, creditWallets } from './ledger.gen.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { creditTransaction } from './schema/index.ts'
import { inWorkspace } from './workspace-client.ts'

type CreditTransactionRow = typeof creditTransaction.$inferSelect
type CreditType = CreditTransactionRow['type']

/** The wallets of an account, or of what it was merged into; null: no such account. */
export const readWallets = (pool: Pool, workspace: string, account: string) =>
  creditWallets(pool, { workspace, account })

type CreditTransactionFilter = {
  account?: string
  currency?: string
  type?: CreditType
  payment?: string
  redemption?: string
}

/** Newest first; an account's own rows and those of the accounts merged into it. */
export const listCreditTransactions = (
  pool: Pool,
  workspace: string,
  filter: CreditTransactionFilter,
  page: PageRequest,
): Promise<Page<CreditTransactionRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(
      db,
      creditTransaction,
      page,
      [
        eq(creditTransaction.workspace, workspace),
        filter.account &&
          sql`${creditTransaction.account} in (select ledger.account_family(${workspace}, ${filter.account}))`,
        filter.currency && eq(creditTransaction.currency, filter.currency),
        filter.type && eq(creditTransaction.type, filter.type),
        filter.payment && eq(creditTransaction.payment, filter.payment),
        filter.redemption && eq(creditTransaction.redemption, filter.redemption),
      ],
      true,
    ),
  )

export const findCreditTransaction = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<CreditTransactionRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db
      .select()
      .from(creditTransaction)
      .where(and(eq(creditTransaction.workspace, workspace), eq(creditTransaction.id, id)))
    return rows[0]
  })

/** As of an instant (event time), or now; null: no such program. */
export const readCreditLiability = (
  pool: Pool,
  workspace: string,
  program: string,
  at: Date | null,
) => creditLiability(pool, { workspace, program, at })

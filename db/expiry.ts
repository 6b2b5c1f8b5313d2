import { call } from './call.ts'
import type { Pool } from './pool.ts'
import type { ExpiryCheck } from './results/expiry.ts'

/**
 * Expires what is due on the account, warns of what comes up, and says when to check again. Safe to repeat.
 * `resume`: its run was lost, and is started again for the next check.
 */
export const expireAccount = (
  pool: Pool,
  workspace: string,
  account: string,
  at: string,
  { resume = false } = {},
) => call<ExpiryCheck>(pool, 'account_expire', [workspace, account, at, resume])

/** The same for many accounts at once; those that another transaction holds are left. Answers how many it checked. */
export const expireAccounts = (
  pool: Pool,
  workspace: string,
  accounts: readonly string[],
  at: string,
) => call<number>(pool, 'accounts_expire', [workspace, accounts, at])

/** The balance as it was at an instant, in the smallest unit; null: no such account. */
export const readBalanceAt = (pool: Pool, workspace: string, account: string, at: Date) =>
  call<number | null>(pool, 'account_balance_at', [workspace, account, at.toISOString()])

export type DueExpiry = { workspace: string; account: string }

/** Accounts whose expiry should have been checked before this, across workspaces; the longest overdue first. */
export async function dueExpiries(pool: Pool, before: string, limit: number, skip = 0) {
  const { rows } = await pool.query<DueExpiry>(
    'select workspace, account from ledger.expiry_checks_overdue($1, $2, $3)',
    [before, limit, skip],
  )
  return rows
}

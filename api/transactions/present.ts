import { paymentsOfRedemptions, type TransactionRow } from '../../db/transactions.ts'
import { transactionObject } from '../../domain/objects/transaction.ts'
import type { Deps } from '../deps.ts'

/** Transactions as the API shows them; the payment of a redemption's row is read through its redemption. */
export async function presentTransactions(
  { pool, decimals }: Deps,
  { workspace, livemode }: { workspace: string; livemode: boolean },
  rows: readonly TransactionRow[],
) {
  const redemptions = [...new Set(rows.flatMap(({ redemption }) => redemption ?? []))]
  const [payments, decimalsOf] = await Promise.all([
    redemptions.length === 0 ? undefined : paymentsOfRedemptions(pool, workspace, redemptions),
    decimals.ofAccounts(
      workspace,
      rows.map(({ account }) => account),
    ),
  ])
  return rows.map((row) => {
    const payment = row.redemption === null ? undefined : payments?.get(row.redemption)
    return transactionObject(row, { decimals: decimalsOf(row.account), livemode }, payment)
  })
}

/** One transaction as the API shows it. */
export async function presentTransaction(
  deps: Deps,
  ctx: { workspace: string; livemode: boolean },
  row: TransactionRow,
) {
  const [object] = await presentTransactions(deps, ctx, [row])
  if (object === undefined) throw new Error(`transaction ${row.id} was not presented`)
  return object
}

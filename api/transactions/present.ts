import { paymentsOfRedemptions, readSurvivors, type TransactionRow } from '../../db/transactions.ts'
import { transactionObject } from '../../domain/objects/transaction.ts'
import type { Deps } from '../deps.ts'

/**
 * Transactions as the API shows them: the payment of a redemption's row is read through its
 * redemption, and the rows of a merged account are its survivor's.
 */
export async function presentTransactions(
  { pool, decimals }: Deps,
  { workspace, livemode }: { workspace: string; livemode: boolean },
  rows: readonly TransactionRow[],
) {
  const redemptions = [...new Set(rows.flatMap(({ redemption }) => redemption ?? []))]
  const accounts = [...new Set(rows.map(({ account }) => account))]
  const [payments, decimalsOf, survivors] = await Promise.all([
    redemptions.length === 0 ? undefined : paymentsOfRedemptions(pool, workspace, redemptions),
    decimals.ofPrograms(
      workspace,
      rows.map(({ program }) => program),
    ),
    readSurvivors(pool, workspace, accounts),
  ])
  return rows.map((row) => {
    const payment = row.redemption === null ? undefined : payments?.get(row.redemption)
    const account = survivors.get(row.account) ?? row.account
    const scale = { decimals: decimalsOf(row.program), livemode }
    return transactionObject({ ...row, account }, scale, payment)
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

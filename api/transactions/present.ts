import {
  paymentsOfRedemptions,
  readExpiryOfCredits,
  readSurvivors,
  type TransactionRow,
} from '../../db/transactions.ts'
import { transactionObject } from '../../domain/objects/transaction.ts'
import type { Deps } from '../server/deps.ts'

/**
 * Transactions as the API shows them: the payment of a redemption's row is read through its
 * redemption, the rows of a merged account are its survivor's, and a credit's expiry is as it
 * stands now: activity or a return may have moved it.
 */
export async function presentTransactions(
  { pool, decimals }: Deps,
  { workspace, livemode }: { workspace: string; livemode: boolean },
  rows: readonly TransactionRow[],
) {
  const redemptions = [...new Set(rows.flatMap(({ redemption }) => redemption ?? []))]
  const accounts = [...new Set(rows.map(({ account }) => account))]
  const credits = rows.filter(isCredit).map(({ id }) => id)
  const [payments, decimalsOf, survivors, expiry] = await Promise.all([
    redemptions.length === 0 ? undefined : paymentsOfRedemptions(pool, workspace, redemptions),
    decimals.ofPrograms(
      workspace,
      rows.map(({ program }) => program),
    ),
    readSurvivors(pool, workspace, accounts),
    credits.length === 0 ? undefined : readExpiryOfCredits(pool, workspace, credits),
  ])
  return rows.map((row) => {
    const payment = row.redemption === null ? undefined : payments?.get(row.redemption)
    const account = survivors.get(row.account) ?? row.account
    const scale = { decimals: decimalsOf(row.program), livemode }
    const expiresAt = expiry?.get(row.id) ?? row.expiresAt
    return transactionObject({ ...row, account, expiresAt }, scale, payment)
  })
}

/** Whether it brought points of its own, rather than gave some back or moved them. */
const isCredit = ({ type, amount, reverses }: TransactionRow): boolean =>
  amount > 0 && reverses === null && (type === 'earn' || type === 'adjust' || type === 'clawback')

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

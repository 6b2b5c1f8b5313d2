import { z } from 'zod'
import {
  paymentsOfRedemptions,
  readExpiryOfCredits,
  readSurvivors,
  type TransactionRow,
} from '../../db/transactions.ts'
import { TRANSACTION_TYPES, transactionObject } from '../../domain/transaction.ts'
import type { Deps } from '../server/deps.ts'
import { actor } from './actors.ts'
import { points, pointsMoved } from './amounts.ts'
import { id } from './ids.ts'
import { metadata, text } from './text.ts'
import { bodyTime, time } from './times.ts'

export const Source = z.looseObject({
  payment: z.string().optional(),
  refund: z.string().optional(),
  redemption: z.string().optional(),
  rule: z.string().optional(),
  event: z.string().optional(),
  amount: z.number().int().optional(),
  currency: z.string().optional(),
})

/** One signed movement of points on one account. */
export const Transaction = z
  .object({
    id: id('ptx'),
    object: z.literal('points_transaction'),
    account: id('loy'),
    type: z.enum(TRANSACTION_TYPES),
    amount: points.meta({ description: 'Signed.' }),
    points: points.meta({ description: 'The same as `amount`.' }),
    balance_after: points,
    reason: z.string().nullable(),
    source: Source,
    reverses: id('ptx').optional(),
    batch: z.string().optional(),
    expires_at: time
      .optional()
      .meta({ description: 'When what is left of a credit expires; absent where it never does.' }),
    metadata,
    actor,
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({
    id: 'Transaction',
    description: 'One signed movement of points; never edited, never deleted.',
  })

const LONGEST_REASON = 255

/** What moves points by hand: positive credits, negative debits. */
export const NewTransaction = z
  .strictObject({
    account: id('loy'),
    type: z.literal('adjust').default('adjust'),
    amount: pointsMoved,
    reason: text(LONGEST_REASON).meta({ example: 'goodwill_credit' }),
    expires_at: bodyTime
      .optional()
      .meta({ description: 'Of a credit; exact, whatever the program says.' }),
    metadata: metadata
      .default({})
      .meta({ description: '`batch` tags rows to be found and reversed together.' }),
  })
  .refine(({ amount, expires_at }) => expires_at === undefined || amount > 0, {
    error: 'only a credit expires',
    path: ['expires_at'],
  })
  .meta({ id: 'NewTransaction' })

/**
 * Transactions as the API shows them: the payment of a redemption's row is read through its
 * redemption, the rows of a merged account are its survivor's, and a credit's expiry is as it
 * stands now: activity or a return may have moved it.
 */
export async function presentTransactions(
  { pool, decimals }: Deps,
  { workspace, livemode }: { workspace: string; livemode: boolean },
  rows: readonly TransactionRow[],
): Promise<z.input<typeof Transaction>[]> {
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
): Promise<z.input<typeof Transaction>> {
  const [object] = await presentTransactions(deps, ctx, [row])
  if (object === undefined) throw new Error(`transaction ${row.id} was not presented`)
  return object
}

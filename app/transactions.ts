import { findAccount } from '../db/accounts.ts'
import { done } from '../db/border.ts'
import { databaseNow } from '../db/clock.ts'
import { pointsPost, pointsPostBatch, pointsReverse } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import { findProgram, findPrograms } from '../db/programs.ts'
import { readTransaction } from '../db/snapshot.ts'
import { findTransaction, isPosted, type TransactionRow } from '../db/transactions.ts'
import { refuse } from '../domain/refusal.ts'
import type { Dependencies } from './dependencies.ts'
import { type Written, writtenBy } from './idempotent.ts'
import { movementUnits } from './points.ts'
import { missing, notFound } from './refusals.ts'

type PointsPost = Parameters<typeof pointsPost>[1]
type PointsReverse = Parameters<typeof pointsReverse>[1]
type PointsPostBatch = Parameters<typeof pointsPostBatch>[1]

/** The writers of movements outside redemptions. */
export function transactionCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    postTransaction: (movement: PointsPost) => pointsPost.answer(pool, movement),
    reverseTransaction: (reversal: PointsReverse) => pointsReverse.answer(pool, reversal),
    postTransactions: (batch: PointsPostBatch) => pointsPostBatch.answer(pool, batch),
  }
}

type MovementContext = {
  /** For reads. */
  readonly pool: Pool
  readonly commands: ReturnType<typeof transactionCommands>
}

/** One movement as a request asks for it; `amount` in points. */
export type Movement = {
  readonly account: string
  readonly amount: number
  readonly reason: string
  readonly expires_at?: Date | undefined
  readonly metadata: Record<string, string>
}

type RequestOf = {
  readonly workspace: string
  readonly operation: string
  readonly fingerprint: string
}

/** `decimals` are its program's, where it is new. */
type Posted = Written<TransactionRow> & { readonly decimals?: number }

/**
 * Adjusts a member's points for a request, rounded as their program says. Refused: an account that there is not, an
 * expiry that is not ahead (but in a repeat), an amount of which nothing is left, a debit below zero.
 */
export async function postTransaction(
  { pool, commands }: MovementContext,
  { workspace, operation, fingerprint }: RequestOf,
  movement: Movement & { readonly type: PointsPost['type'] },
): Promise<Posted> {
  const account = await findAccount(pool, workspace, movement.account)
  if (account === undefined) return missing('account', movement.account)
  const now = await databaseNow(pool)
  if (isPast(movement, now) && !(await isPosted(pool, workspace, operation))) {
    refuse('parameter_invalid', 'expires_at: must be in the future.', { param: 'expires_at' })
  }
  const program = await findProgram(pool, workspace, account.program)
  if (program === undefined) throw new Error(`no program ${account.program}`)
  const { decimals, rounding } = program
  const result = await commands.postTransaction({
    workspace,
    account: account.id,
    type: movement.type,
    amount: movementUnits('amount', movement.amount, decimals, rounding),
    decimals,
    reason: movement.reason,
    operation,
    fingerprint,
    at: now.toISOString(),
    expiresAt: movement.expires_at?.toISOString() ?? null,
    batch: movement.metadata.batch ?? null,
    source: null,
    metadata: movement.metadata,
    allowNegative: false,
  })
  const { outcome, transaction } = done(result)
  if (transaction === undefined) return missing('account', movement.account)
  const row = readTransaction(transaction)
  const replayed = outcome === 'replayed'
  return { ...writtenBy(fingerprint, row, replayed), ...(!replayed && { decimals }) }
}

/** The same for many movements, all of them or none, in their order; a refusal names its row. */
export async function postTransactions(
  { pool, commands }: MovementContext,
  { workspace, operation, fingerprint }: RequestOf,
  movements: readonly Movement[],
): Promise<Written<TransactionRow[]>> {
  const now = await databaseNow(pool)
  const isRepeat =
    movements.some((movement) => isPast(movement, now)) &&
    (await isPosted(pool, workspace, `${operation}:0`)) // its first row; all are written, or none
  const rows = await movementRows(pool, workspace, movements, { now, isRepeat, single: false })
  const at = now.toISOString()
  const command = { workspace, operation, fingerprint, at, rows }
  const { outcome, transactions } = done(await commands.postTransactions(command))
  const replayed = outcome === 'replayed'
  const posted = (transactions ?? []).map(
    (row) => writtenBy(fingerprint, readTransaction(row), replayed).row,
  )
  return { row: posted, replayed }
}

/**
 * Movements as the ledger takes them, rounded as their programs say. Refused: an account that there is not, an
 * expiry that is not ahead (but in a repeat), an amount of which nothing is left. `single`: it is named alone.
 */
export async function movementRows(
  pool: Pool,
  workspace: string,
  movements: readonly Movement[],
  { now, isRepeat, single }: { now: Date; isRepeat: boolean; single: boolean },
) {
  const accounts = movements.map(({ account }) => account)
  const programOf = await findPrograms(pool, workspace, accounts)
  return movements.map((movement, index) => {
    const at = single ? '' : `transactions.${index}.`
    if (isPast(movement, now) && !isRepeat && programOf.has(movement.account)) {
      const param = `${at}expires_at`
      refuse('parameter_invalid', `${param}: must be in the future.`, { param })
    }
    return rowOf(programOf, movement, at)
  })
}

function rowOf(
  programOf: Awaited<ReturnType<typeof findPrograms>>,
  { account, amount, reason, expires_at, metadata }: Movement,
  at: string,
) {
  const program = programOf.get(account)
  if (program === undefined) return missing(`${at}account`, account)
  const { decimals, rounding } = program
  return {
    account,
    amount: movementUnits(`${at}amount`, amount, decimals, rounding),
    decimals,
    reason,
    expires_at: expires_at?.toISOString() ?? null,
    metadata,
  }
}

const isPast = ({ expires_at }: Movement, now: Date): boolean =>
  expires_at !== undefined && expires_at <= now

/** Undoes an earning or an adjustment for a request, once, by an offsetting row. */
export async function reverseTransaction(
  { pool, commands }: MovementContext,
  { workspace, operation, fingerprint }: RequestOf,
  transaction: string,
  reversal: Pick<PointsReverse, 'reason' | 'metadata'>,
): Promise<Posted> {
  const before = await findTransaction(pool, workspace, transaction)
  if (before === undefined) return notFound('transaction', transaction)
  const at = (await databaseNow(pool)).toISOString()
  const command = { workspace, ptx: transaction, ...reversal, operation, fingerprint, at }
  const { outcome, transaction: offset } = done(await commands.reverseTransaction(command))
  if (offset === undefined) return notFound('transaction', transaction)
  return writtenBy(fingerprint, readTransaction(offset), outcome === 'replayed')
}

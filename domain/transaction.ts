import type { Scale } from './account.ts'
import type { RecordedActor } from './actor.ts'
import { pointsOf } from './points.ts'

/** What moves points. */
export const TRANSACTION_TYPES = [
  'earn',
  'redeem',
  'expire',
  'adjust',
  'reverse',
  'clawback',
  'release',
  'merge',
] as const
type TransactionType = (typeof TRANSACTION_TYPES)[number]

type TransactionFacts = {
  readonly id: string
  readonly account: string
  readonly type: TransactionType
  readonly amount: number
  readonly balanceAfter: number
  readonly reason: string | null
  readonly redemption: string | null
  readonly payment: string | null
  readonly refund: string | null
  readonly source: Record<string, unknown> | null
  readonly reverses: string | null
  readonly batch: string | null
  readonly expiresAt: Date | null
  readonly metadata: Record<string, string>
  readonly createdAt: Date
  readonly actor: RecordedActor | null
}

/**
 * A transaction as the API and events show it. `payment` is that of the row's
 * redemption, where it has one: the link is the redemption's, not the row's.
 */
export function transactionObject(row: TransactionFacts, scale: Scale, payment?: string) {
  const { decimals, livemode } = scale
  const amount = pointsOf(row.amount, decimals)
  const source = {
    payment: row.payment ?? payment,
    refund: row.refund ?? undefined,
    redemption: row.redemption ?? undefined,
    ...row.source,
  }
  return {
    id: row.id,
    object: 'points_transaction' as const,
    account: row.account,
    type: row.type,
    amount,
    points: amount,
    balance_after: pointsOf(row.balanceAfter, decimals),
    reason: row.reason,
    source,
    ...(row.reverses !== null && { reverses: row.reverses }),
    ...(row.batch !== null && { batch: row.batch }),
    ...(row.expiresAt !== null && { expires_at: row.expiresAt.toISOString() }),
    metadata: row.metadata,
    actor: row.actor,
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}

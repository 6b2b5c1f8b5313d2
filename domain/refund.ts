import type { RefundKind, RefundStatus } from './payment.ts'

type RefundFacts = {
  readonly id: string
  readonly payment: string
  readonly amount: number
  readonly status: RefundStatus
  readonly kind: RefundKind
  readonly reason: string | null
  readonly returnRedemption: boolean
  readonly storeCredit: number
  readonly metadata: Record<string, string>
  readonly createdAt: Date
}

/** A refund (or a dispute, which takes points back as one) as the API shows it. Money in minor units. */
export function refundObject(row: RefundFacts, livemode: boolean) {
  return {
    id: row.id,
    object: row.kind,
    payment: row.payment,
    amount: row.amount,
    status: row.status,
    reason: row.reason,
    return_redemption: row.returnRedemption,
    store_credit: row.storeCredit,
    metadata: row.metadata,
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}

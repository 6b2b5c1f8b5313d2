import { call } from './call.ts'
import type { Pool } from './pool.ts'

export type Mismatch = {
  reason: string
  payment?: string
  refund?: string
  account?: string
  rule?: string
  transaction?: string
  /** Smallest unit. */
  points?: number
  /** Minor units. */
  amount?: number
}

type PaymentReconciliation = {
  earned: number
  clawed_back: number
  transactions: number
  payments: number
  refunds: number
  /** One more than asked for where there are more. */
  mismatches: Mismatch[]
}

export const readReconciliation = (
  pool: Pool,
  workspace: string,
  program: string,
  window: { from: Date; to: Date },
  limit: number,
) =>
  call<PaymentReconciliation>(pool, 'payment_reconciliation', [
    workspace,
    program,
    window.from.toISOString(),
    window.to.toISOString(),
    limit,
  ])

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

export type PaymentReconciliation = {
  earned: number
  clawed_back: number
  transactions: number
  payments: number
  refunds: number
  /** One more than asked for where there are more. */
  mismatches: Mismatch[]
}

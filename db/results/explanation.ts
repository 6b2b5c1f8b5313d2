import type { EarningOutcome, EarningReason, EarningTrigger } from '../../domain/earning-rule.ts'
import type { PaymentAward, RefundKind, RefundStatus } from '../../domain/payment.ts'
import type { Rounding } from '../../domain/points.ts'
import type { Award, Cap, Conditions } from '../schema/earning.ts'

/** A rule as an earning keeps it. */
export type EarningTerms = {
  trigger: EarningTrigger
  award: Award
  multiplier: number
  tier_multiplier: number | null
  cap: Cap | null
  conditions: Conditions
  pendingDays: number
  name: string | null
}

/** What one rule made, or would make, of something for one account. Points in the smallest unit of `decimals`. */
export type EarningEntry = {
  program: string
  account: string | null
  rule: string
  source: string | null
  /** Whether the rule spoke of it. */
  matched: boolean
  reason: EarningReason | null
  outcome: EarningOutcome
  amount: number | null
  currency: string | null
  terms: EarningTerms
  tier: string | null
  rounding: Rounding | null
  uncapped: number | null
  cap_left: number | null
  points: number
  clawed: number
  earned_on: string | null
  matures_at: string | null
  decimals: number
}

type RefundShare = {
  refund: string
  kind: RefundKind
  status: RefundStatus
  amount: number
  taken: number
  shrunk: number
  expired: number
  forgiven: number
}

export type EarningPreview = { at: string; rules_from: string | null; entries: EarningEntry[] }

export type PaymentEarnings = {
  award: PaymentAward | null
  judged_at: string | null
  rules_from: string | null
  entries: (EarningEntry & { refunds?: RefundShare[]; transactions?: string[] })[]
}

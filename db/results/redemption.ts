import type { SealedCode } from '../../domain/gift-card.ts'
import type { SqlRefusal } from '../../domain/ledger-refusal.ts'
import type { RedemptionFacts } from '../../domain/redemption-summary.ts'
import type { CodeSource, RewardType } from '../../domain/reward.ts'
import type { Snapshot } from '../snapshot.ts'
import type { PaymentResult } from './payment.ts'

export type { SealedCode }

/** What every redemption function of the ledger answers. */
export type RedemptionResult = {
  outcome: string
  redemption?: Snapshot
  /** Orders the facts. */
  revision?: number
  /** What its workflow knows of it. */
  facts?: RedemptionFacts
  refusal?: SqlRefusal
  param?: string
  has_variants?: boolean
  codes?: CodeSource
  /** Of its program, where it was created or refused. */
  decimals?: number
  /** The payment as the refund of a reversal left it. */
  refunded?: PaymentResult | null
}

export type Quote =
  | { outcome: 'missing'; param: 'account' | 'reward' }
  | { outcome: 'missing'; param: 'variant'; has_variants: boolean }
  | {
      outcome: 'quoted'
      hold_minutes: number
      reward_type: RewardType
      account: string
      points: number
      available: number
      value: Record<string, unknown>
      codes: CodeSource | null
      decimals: number
      /** The parameter that nobody could ever ask for like this. */
      invalid_param: string | null
      refusals: SqlRefusal[]
    }

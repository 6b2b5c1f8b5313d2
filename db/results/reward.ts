import type { SqlRefusal } from '../../domain/ledger-refusal.ts'

/** What one of a reward, or of one of its variants, would be for a member. Points in the smallest unit. */
export type RewardEligibility = {
  reward: string
  variant: string | null
  points: number
  refusals: SqlRefusal[]
}

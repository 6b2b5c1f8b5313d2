/** What a program's tiers are given by. */
export type QualifyOn = 'points' | 'spend' | 'custom'

export type NextTier = { name: string }

export type TierReviewResult = {
  found: boolean
  tier: string | null
  changed: boolean
  review_at: string | null
}

/** The next members of a walk, in id order; none at its end. */
export type ReassessmentPage =
  | { outcome: 'open'; revision: number; judged: number; accounts: string[] }
  | { outcome: 'ended'; judged: number }

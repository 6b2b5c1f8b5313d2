/** What a program's tiers are given by. */
export type QualifyOn = 'points' | 'spend' | 'custom'

export type NextTier = { name: string }

/** How one member stands between tiers; the date is a text within jsonb. */
export type StandingRow = {
  account: string
  qualify_on: QualifyOn
  qualifying: number | null
  next_tier: NextTier | null
  next_threshold: number | null
  lapses_at: Date | string | null
}

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

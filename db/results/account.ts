import type { Snapshot } from '../snapshot.ts'
import type { StandingRow } from './tier.ts'

/** Fields not named stay; a null customer unlinks, a null metadata value removes its key. */
export type AccountChange = { customer?: string | null; metadata?: Record<string, string | null> }

export type AccountAnswer = {
  outcome: string
  account?: Snapshot | null
  matures_at?: string | null
}

export type ViewAnswer = {
  account: Snapshot
  lots: { points: number; expires_at: string }[] | null
  tier: StandingRow | null
  pending: number
  at: string
}

import type { SqlRefusal } from '../../domain/ledger-refusal.ts'
import type { Rounding } from '../../domain/points.ts'
import type { ReactionPlan, Rule } from '../../domain/reactor.ts'
import type { Snapshot } from '../snapshot.ts'

export type { ReactionPlan }

export type FoundEvent = {
  outcome: 'found'
  at: string
  /** The event type's id, and the version of its schema. */
  type: string
  version: number
  account: string | null
  decimals: number | null
  rounding: Rounding | null
  reactors: Rule[]
  /** What the workspace's settings say; null where they say nothing. */
  strict: boolean | null
  /** Where the till gave a time: since when the member is one, and the setting `eventMaxAgeDays`. */
  member_since?: string | null
  most_days?: number | null
}

export type EventPrecheck =
  | { outcome: 'exists'; event: Snapshot; decimals: number }
  | { outcome: 'no_type' }
  | FoundEvent

export type ReportResult = {
  outcome: 'processed' | 'replayed' | 'stale' | 'refused' | 'missing' | 'undone'
  event?: Snapshot
  refusal?: SqlRefusal
}

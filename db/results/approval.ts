import type { ApprovalStatus } from '../../domain/approval.ts'
import type { Snapshot } from '../snapshot.ts'

export type { Maker } from '../../domain/actor.ts'
export type { ApprovalEffect, ApprovalKind } from '../../domain/approval.ts'

export type ApprovalAnswer = {
  outcome: 'requested' | 'replayed' | 'settled' | 'missing'
  approval?: Snapshot
}

/** What its run needs to know; ISO 8601. */
export type ApprovalFacts = {
  status: ApprovalStatus
  /** Null once it has gone out. */
  remindsAt: string | null
  expiresAt: string
}

import type { SqlRefusal } from '../../domain/ledger-refusal.ts'
import type { Snapshot } from '../snapshot.ts'

export type ReverseResult = {
  outcome: 'reversed' | 'replayed' | 'refused' | 'missing'
  transaction?: Snapshot
  refusal?: SqlRefusal
}

/** One movement of many; the amount is signed, in the smallest unit of these decimals. */
export type BatchRow = {
  account: string
  amount: number
  decimals: number
  reason: string
  expires_at: string | null
  metadata: Record<string, string>
}

export type BatchResult = {
  outcome: 'posted' | 'replayed' | 'refused'
  transactions?: Snapshot[]
  refusal?: SqlRefusal
}

export type PostResult = {
  outcome: 'posted' | 'replayed' | 'refused' | 'missing'
  transaction?: Snapshot
  refusal?: SqlRefusal
}

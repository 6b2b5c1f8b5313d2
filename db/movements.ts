import { call } from './call.ts'
import type { Pool } from './pool.ts'
import type { Snapshot } from './snapshot.ts'
import { refusalRaised, type SqlRefusal } from './sql-refusal.ts'

export type ReverseArguments = {
  workspace: string
  transaction: string
  reason: string
  operation: string
  fingerprint: string
  metadata: Record<string, string>
  at: string
}

type ReverseResult = {
  outcome: 'reversed' | 'replayed' | 'refused' | 'missing'
  transaction?: Snapshot
  refusal?: SqlRefusal
}

/** Undoes an earn or adjust row, once; see `points_reverse`. */
export const reversePoints = (pool: Pool, r: ReverseArguments) =>
  call<ReverseResult>(pool, 'points_reverse', [
    r.workspace,
    r.transaction,
    r.reason,
    r.operation,
    r.fingerprint,
    r.metadata,
    r.at,
  ])

/** One movement of many; the amount is signed, in the smallest unit of these decimals. */
type BatchRow = {
  account: string
  amount: number
  decimals: number
  reason: string
  expires_at: string | null
  metadata: Record<string, string>
}

export type BatchArguments = {
  workspace: string
  operation: string
  fingerprint: string
  at: string
  rows: BatchRow[]
}

type BatchResult = {
  outcome: 'posted' | 'replayed' | 'refused'
  transactions?: Snapshot[]
  refusal?: SqlRefusal
}

/** All rows or none; a refusal names its row in `param`. */
export async function postBatch(pool: Pool, b: BatchArguments): Promise<BatchResult> {
  const { workspace, operation, fingerprint, at } = b
  try {
    const args = [workspace, operation, fingerprint, at, JSON.stringify(b.rows)]
    return await call<BatchResult>(pool, 'points_post_batch', args)
  } catch (error) {
    return { outcome: 'refused', refusal: refusalRaised(error) }
  }
}

import { call } from './call.ts'
import type { Pool } from './pool.ts'
import type { BatchResult, BatchRow, ReverseResult } from './results/points.ts'
import { refusalRaised } from './sql-refusal.ts'

export type ReverseArguments = {
  workspace: string
  transaction: string
  reason: string
  operation: string
  fingerprint: string
  metadata: Record<string, string>
  at: string
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

export type BatchArguments = {
  workspace: string
  operation: string
  fingerprint: string
  at: string
  rows: BatchRow[]
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

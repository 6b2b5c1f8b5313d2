import { paymentReconciliation } from './ledger.gen.ts'
import type { Pool } from './pool.ts'

/** One program's points of a window beside the payments and refunds that caused them. Smallest unit. */
export const readReconciliation = (
  pool: Pool,
  workspace: string,
  program: string,
  window: { from: Date; to: Date },
  limit: number,
) => paymentReconciliation(pool, { workspace, program, ...window, limit })

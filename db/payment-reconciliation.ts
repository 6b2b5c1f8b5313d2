import { call } from './call.ts'
import type { Pool } from './pool.ts'
import type { PaymentReconciliation } from './results/reconciliation.ts'

export type { Mismatch } from './results/reconciliation.ts'

export const readReconciliation = (
  pool: Pool,
  workspace: string,
  program: string,
  window: { from: Date; to: Date },
  limit: number,
) =>
  call<PaymentReconciliation>(pool, 'payment_reconciliation', [
    workspace,
    program,
    window.from.toISOString(),
    window.to.toISOString(),
    limit,
  ])

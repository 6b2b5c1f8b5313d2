import { sql } from 'drizzle-orm'
import { earningPreview, paymentEarnings, paymentReconciliation } from './ledger.gen.ts'
import type { Pool } from './pool.ts'
import type { EarningPreview, PaymentEarnings } from './results/explanation.ts'
import { inWorkspace } from './workspace-client.ts'

/** What these accounts have earned and cannot spend yet, in the smallest unit; accounts without any are left out. */
export const readPending = (
  pool: Pool,
  workspace: string,
  ids: string[],
): Promise<Map<string, number>> =>
  inWorkspace(pool, workspace, async (db) => {
    if (ids.length === 0) return new Map<string, number>()
    const { rows } = await db.execute<{ id: string; points: string }>(
      sql`select a.id, ledger.account_pending(a.workspace, a.id) as points from account a
        where a.workspace = ${workspace} and a.id in ${ids}`,
    )
    return new Map(
      rows
        .filter(({ points }) => Number(points) !== 0)
        .map(({ id, points }) => [id, Number(points)]),
    )
  })

export type PreviewRequest = {
  workspace: string
  account?: string | undefined
  customer?: string | undefined
  amount: number
  currency: string
  metadata: Record<string, string>
  /** Now, where it is not said. */
  at?: Date | undefined
}

/** What a payment would earn; null where there is no such account. Writes nothing. */
export const readEarningPreview = (
  pool: Pool,
  asked: PreviewRequest,
): Promise<EarningPreview | null> =>
  earningPreview(pool, {
    ...asked,
    account: asked.account ?? null,
    customer: asked.customer ?? null,
    at: asked.at ?? null,
  })

/** What a payment earned, and why not more; null where there is no such payment. */
export const readPaymentEarnings = (
  pool: Pool,
  workspace: string,
  payment: string,
): Promise<PaymentEarnings | null> => paymentEarnings(pool, { workspace, payment })

/** One program's points of a window beside the payments and refunds that caused them. Smallest unit. */
export const readReconciliation = (
  pool: Pool,
  workspace: string,
  program: string,
  window: { from: Date; to: Date },
  limit: number,
) => paymentReconciliation(pool, { workspace, program, ...window, limit })

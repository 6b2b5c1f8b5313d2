import { and, eq } from 'drizzle-orm'
import { call } from './call.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import type { RefundResult } from './results/refund.ts'
import { refund } from './schema/index.ts'
import { refusalRaised } from './sql-refusal.ts'
import { inWorkspace } from './workspace-client.ts'

export type RefundRow = typeof refund.$inferSelect

export type NewRefund = {
  workspace: string
  refund: string
  payment: string
  /** Minor units; null: all that is left. */
  amount: number | null
  reason: string | null
  returnRedemption: boolean
  /** Minor units to give back to the wallet; true: all of it. */
  storeCredit: number | true
  metadata: Record<string, string>
  route: string
  key: string | null
  fingerprint: string
  event: string
  /** ISO 8601; the database's own time without it. */
  at?: string
}

/** See `refund_create` for its outcomes. A refused one leaves its key free. */
export async function insertRefund(pool: Pool, r: NewRefund): Promise<RefundResult> {
  try {
    return await call<RefundResult>(pool, 'refund_create', [
      r.workspace,
      r.refund,
      r.payment,
      r.amount,
      r.reason,
      r.returnRedemption,
      r.metadata,
      r.route,
      r.key,
      r.fingerprint,
      r.event,
      r.at ?? null,
      r.storeCredit === true ? -1 : r.storeCredit,
    ])
  } catch (error) {
    return { outcome: 'refused', refusal: refusalRaised(error) }
  }
}

export const findRefund = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<RefundRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db
      .select()
      .from(refund)
      .where(and(eq(refund.workspace, workspace), eq(refund.id, id)))
    return rows[0]
  })

export const listRefunds = (
  pool: Pool,
  workspace: string,
  filter: { payment?: string },
  page: PageRequest,
): Promise<Page<RefundRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(db, refund, page, [
      eq(refund.workspace, workspace),
      filter.payment && eq(refund.payment, filter.payment),
    ]),
  )

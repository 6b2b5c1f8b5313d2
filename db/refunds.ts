import { and, eq } from 'drizzle-orm'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { refund } from './schema/index.ts'
import { inWorkspace } from './workspace-client.ts'

export type RefundRow = typeof refund.$inferSelect

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

import { and, eq } from 'drizzle-orm'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { redemption } from './schema/index.ts'
import { inWorkspace } from './workspace-client.ts'

export type RedemptionRow = typeof redemption.$inferSelect

export const findRedemption = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<RedemptionRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db
      .select()
      .from(redemption)
      .where(and(eq(redemption.workspace, workspace), eq(redemption.id, id)))
    return rows[0]
  })

type RedemptionFilter = {
  account?: string
  reward?: string
  status?: RedemptionRow['status']
  payment?: string
}

export const listRedemptions = (
  pool: Pool,
  workspace: string,
  filter: RedemptionFilter,
  page: PageRequest,
): Promise<Page<RedemptionRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(db, redemption, page, [
      eq(redemption.workspace, workspace),
      filter.account && eq(redemption.account, filter.account),
      filter.reward && eq(redemption.reward, filter.reward),
      filter.status && eq(redemption.status, filter.status),
      filter.payment && eq(redemption.payment, filter.payment),
    ]),
  )

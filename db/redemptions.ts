import { and, eq } from 'drizzle-orm'
import type { SealedCode } from '../domain/gift-card.ts'
import { call } from './call.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import type { Quote, RedemptionResult } from './results/redemption.ts'
import { redemption } from './schema/index.ts'
import { inWorkspace } from './workspace-client.ts'

export type { Quote, RedemptionResult } from './results/redemption.ts'

export type RedemptionRow = typeof redemption.$inferSelect

export type RewardRequest = {
  workspace: string
  account: string
  reward: string
  variant?: string | undefined
  quantity: number
  /** How long a discount waits for its payment where neither reward nor program says. */
  holdMinutes: number
}

export type CreateArguments = RewardRequest & {
  redemption: string
  code: string
  fingerprint: string
  shipping: Record<string, unknown> | null
  metadata: Record<string, string>
  /** Made for a gift card whose reward has none of its own. */
  codes?: SealedCode[] | undefined
  /** ISO 8601; when it is redeemed and when it is due. The database says, but in tests. */
  at?: string
  dueAt?: string
}

/** What would become of a redemption now; writes nothing. */
export const readQuote = (pool: Pool, asked: RewardRequest) =>
  call<Quote>(pool, 'redemption_quote', [
    asked.workspace,
    asked.account,
    asked.reward,
    asked.variant ?? null,
    asked.quantity,
    asked.holdMinutes,
  ])

export const insertRedemption = (pool: Pool, a: CreateArguments) =>
  call<RedemptionResult>(pool, 'redemption_create', [
    a.workspace,
    a.redemption,
    a.account,
    a.reward,
    a.variant ?? null,
    a.quantity,
    a.holdMinutes,
    a.code,
    a.fingerprint,
    a.shipping,
    a.metadata,
    a.codes === undefined ? null : JSON.stringify(a.codes),
    a.at ?? null,
    a.dueAt ?? null,
  ])

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

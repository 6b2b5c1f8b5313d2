import { and, eq } from 'drizzle-orm'
import type { SealedCode } from '../domain/gift-card.ts'
import type { CodeSource, RewardType } from '../domain/reward.ts'
import { call } from './call.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { PaymentResult } from './payments.ts'
import type { Pool } from './pool.ts'
import { redemption } from './schema/index.ts'
import type { Snapshot } from './snapshot.ts'
import type { SqlRefusal } from './sql-refusal.ts'
import { inWorkspace } from './workspace-client.ts'

export type RedemptionRow = typeof redemption.$inferSelect

/** What every redemption function of the ledger answers. */
export type RedemptionResult = {
  outcome: string
  redemption?: Snapshot
  refusal?: SqlRefusal
  param?: string
  has_variants?: boolean
  codes?: CodeSource
  /** The payment as the refund of a reversal left it. */
  refunded?: PaymentResult | null
}

export type Precheck =
  | { outcome: 'exists'; redemption: Snapshot }
  | { outcome: 'missing'; param: 'account' | 'reward' }
  | { outcome: 'missing'; param: 'variant'; has_variants: boolean }
  | {
      outcome: 'judged'
      at: string
      hold_minutes: number
      reward_type: RewardType
      deadline_days: number | null
      same_program: boolean
      account: string
      points: number
      available: number
      value: Record<string, unknown>
      codes: CodeSource | null
      /** There are only so many of it. */
      scarce: boolean
      decimals: number
      refusals: SqlRefusal[]
    }

export type CreateArguments = {
  workspace: string
  redemption: string
  account: string
  reward: string
  quantity: number
  at: string
  expiresAt: string | null
  creationWindowMs: number
  code: string
  fingerprint: string
  shipping: Record<string, unknown> | null
  metadata: Record<string, string>
  /** What few rewards need: the variant asked for, and codes made for a gift card. */
  more?: { variant?: string; codes?: SealedCode[] } | null
}

/** The one statement before arming; writes nothing. `holdMinutes` is the default where neither reward nor program says. */
export const precheckRedemption = (
  pool: Pool,
  workspace: string,
  id: string,
  account: string,
  reward: string,
  quantity: number,
  holdMinutes: number,
  variant: string | null = null,
) =>
  call<Precheck>(pool, 'redemption_precheck', [
    workspace,
    id,
    account,
    reward,
    quantity,
    holdMinutes,
    variant,
  ])

export const insertRedemption = (pool: Pool, a: CreateArguments) =>
  call<RedemptionResult>(pool, 'redemption_create', [
    a.workspace,
    a.redemption,
    a.account,
    a.reward,
    a.quantity,
    a.at,
    a.expiresAt,
    a.creationWindowMs,
    a.code,
    a.fingerprint,
    a.shipping,
    a.metadata,
    a.more ?? null,
  ])

export type ReverseArguments = {
  workspace: string
  redemption: string
  /** A part, in the smallest unit or in rewards; neither: all that is left. */
  points: number | null
  quantity: number | null
  reason: string
  operation: string
  fingerprint: string
  at: string
  /** Ids of the refund of what the discount took off its payment, and of its event; null: none. */
  refund: { id: string; event: string } | null
}

export const reverseRedemption = (pool: Pool, r: ReverseArguments) =>
  call<RedemptionResult>(pool, 'redemption_reverse', [
    r.workspace,
    r.redemption,
    r.points,
    r.quantity,
    r.reason,
    r.operation,
    r.fingerprint,
    r.at,
    r.refund?.id ?? null,
    r.refund?.event ?? null,
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

export type RedemptionFilter = {
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

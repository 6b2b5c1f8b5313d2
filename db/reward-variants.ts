import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import { call } from './call.ts'
import type { Pool } from './pool.ts'
import type { RewardEligibility } from './results/reward.ts'
import { rewardVariant } from './schema/index.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

export type { RewardEligibility } from './results/reward.ts'

type VariantRow = typeof rewardVariant.$inferSelect
/** Fields not named stay as they are. */
export type VariantChange = { id: string } & Partial<
  Pick<VariantRow, 'attributes' | 'inventory' | 'cost' | 'active'>
>

/** The variants of these rewards, in the order they were added. */
export const listVariants = (
  pool: Pool,
  workspace: string,
  rewards: string[],
): Promise<Map<string, VariantRow[]>> =>
  inWorkspace(pool, workspace, async (db) => {
    const byReward = new Map<string, VariantRow[]>()
    if (rewards.length === 0) return byReward
    const rows = await db
      .select()
      .from(rewardVariant)
      .where(and(eq(rewardVariant.workspace, workspace), inArray(rewardVariant.reward, rewards)))
      .orderBy(asc(rewardVariant.position), asc(rewardVariant.id))
    for (const row of rows) byReward.set(row.reward, [...(byReward.get(row.reward) ?? []), row])
    return byReward
  })

/** Adds variants, or changes those that exist by their id. */
export async function putVariants(
  tx: Db,
  workspace: string,
  reward: string,
  variants: readonly VariantChange[],
): Promise<void> {
  for (const { id, ...change } of variants) {
    const named = Object.fromEntries(
      Object.entries(change).filter(([, value]) => value !== undefined),
    )
    const position = sql<number>`(select coalesce(max(v.position) + 1, 0) from reward_variant v
      where v.workspace = ${workspace} and v.reward = ${reward})`
    const added = tx.insert(rewardVariant).values({ ...change, workspace, reward, id, position })
    const target = [rewardVariant.workspace, rewardVariant.reward, rewardVariant.id]
    await (Object.keys(named).length === 0
      ? added.onConflictDoNothing({ target })
      : added.onConflictDoUpdate({ target, set: named }))
  }
}

/** Judges a page of the catalogue for a member in one statement; null: no such account. */
export const readEligibilities = (
  pool: Pool,
  workspace: string,
  account: string,
  rewards: string[],
) => call<RewardEligibility[] | null>(pool, 'catalogue_eligibility', [workspace, account, rewards])

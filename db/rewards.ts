import { and, arrayContains, asc, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm'
import { catalogueEligibility } from './ledger.gen.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { reward, rewardVariant } from './schema/index.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

export type RewardRow = typeof reward.$inferSelect
export type NewReward = typeof reward.$inferInsert
export type RewardChange = Partial<
  Omit<NewReward, 'workspace' | 'id' | 'program' | 'type' | 'createdAt'>
>
type RewardFilter = {
  program?: string
  active?: boolean
  type?: RewardRow['type']
  category?: string
  /** The catalogue as it is, or what was taken out of it. */
  archived: boolean
  /** What a shopper could choose now. */
  onSale: boolean
}

export const findReward = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<RewardRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const own = and(eq(reward.workspace, workspace), eq(reward.id, id))
    return (await db.select().from(reward).where(own))[0]
  })

// What holds of tills are redemptions of (`redemption_hold`) is nothing that a member could choose.
const inCatalogue = sql`${reward.id} <> 'rwd_at_till_' || substr(${reward.program}, 6, 48)`

const onSale = sql`(${inCatalogue} and ${reward.active} and ${reward.archivedAt} is null
  and coalesce(${reward.startsAt} <= clock_timestamp(), true) and coalesce(${reward.endsAt} > clock_timestamp(), true))`

/** Undefined also where it is not on sale now. */
export const findRewardOnSale = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<RewardRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const own = and(eq(reward.workspace, workspace), eq(reward.id, id), onSale)
    return (await db.select().from(reward).where(own))[0]
  })

export const listRewards = (
  pool: Pool,
  workspace: string,
  filter: RewardFilter,
  page: PageRequest,
): Promise<Page<RewardRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(db, reward, page, [
      eq(reward.workspace, workspace),
      inCatalogue,
      filter.program && eq(reward.program, filter.program),
      filter.active !== undefined ? eq(reward.active, filter.active) : undefined,
      filter.type && eq(reward.type, filter.type),
      filter.category && arrayContains(reward.categories, [filter.category]),
      filter.archived ? isNotNull(reward.archivedAt) : isNull(reward.archivedAt),
      filter.onSale ? onSale : undefined,
    ]),
  )

export async function insertReward(tx: Db, values: NewReward): Promise<RewardRow> {
  const rows = await tx.insert(reward).values(values).returning()
  if (!rows[0]) throw new Error('reward was not inserted')
  return rows[0]
}

/** A reward of the catalogue as it is, locked against another change until the transaction ends. */
export async function lockReward(
  tx: Db,
  workspace: string,
  id: string,
): Promise<RewardRow | undefined> {
  const rows = await tx
    .select()
    .from(reward)
    .where(and(eq(reward.workspace, workspace), eq(reward.id, id), inCatalogue))
    .for('no key update')
  return rows[0]
}

/** The reward with the fields given; where none is, as it was. */
export async function updateReward(
  tx: Db,
  before: RewardRow,
  change: RewardChange,
): Promise<RewardRow | undefined> {
  if (Object.values(change).every((value) => value === undefined)) return before
  const ours = and(eq(reward.workspace, before.workspace), eq(reward.id, before.id))
  return (await tx.update(reward).set(change).where(ours).returning())[0]
}

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

/** What each reward of a page, and each variant, would be for a member, in one statement; null: no such account. */
export const readEligibilities = (
  pool: Pool,
  workspace: string,
  account: string,
  rewards: string[],
) => catalogueEligibility(pool, { workspace, account, rewards })

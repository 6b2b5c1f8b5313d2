import { and, arrayContains, eq, isNotNull, isNull, sql } from 'drizzle-orm'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { reward } from './schema/index.ts'
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

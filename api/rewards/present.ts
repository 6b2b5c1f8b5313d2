import { listVariants } from '../../db/reward-variants.ts'
import type { RewardRow } from '../../db/rewards.ts'
import { rewardObject } from '../../domain/objects/reward.ts'
import type { Deps } from '../server/deps.ts'

type Ctx = { workspace: string; livemode: boolean }

/** Rewards as the API shows them. */
export async function presentRewards(
  { pool, decimals }: Deps,
  { workspace, livemode }: Ctx,
  rows: readonly RewardRow[],
) {
  const varied = rows.filter(({ hasVariants }) => hasVariants).map(({ id }) => id)
  const variants = await listVariants(pool, workspace, varied)
  return Promise.all(
    rows.map(async (row) => {
      const scale = { decimals: await decimals.ofProgram(workspace, row.program), livemode }
      return rewardObject(row, scale, variants.get(row.id))
    }),
  )
}

/** One reward as the API shows it. */
export async function presentReward(deps: Deps, ctx: Ctx, row: RewardRow) {
  const [object] = await presentRewards(deps, ctx, [row])
  if (object === undefined) throw new Error(`reward ${row.id} was not presented`)
  return object
}

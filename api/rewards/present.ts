import type { RewardRow } from '../../db/rewards.ts'
import { rewardObject } from '../../domain/objects/reward.ts'
import type { Deps } from '../deps.ts'

/** One reward as the API shows it. */
export async function presentReward(
  { decimals }: Deps,
  { workspace, livemode }: { workspace: string; livemode: boolean },
  row: RewardRow,
) {
  return rewardObject(row, { decimals: await decimals.ofProgram(workspace, row.program), livemode })
}

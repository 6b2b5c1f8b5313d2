import { changeOnce, claimKey, type RequestIdentity } from '../db/idempotency.ts'
import { putVariants, type VariantChange } from '../db/reward-variants.ts'
import {
  insertReward,
  lockReward,
  type NewReward,
  type RewardChange,
  type RewardRow,
  updateReward,
} from '../db/rewards.ts'
import { transact } from '../db/workspace-client.ts'
import type { Created } from './account.ts'
import type { Dependencies } from './dependencies.ts'

/** The writers of the catalogue, run by the API. */
export function rewardActivities({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    createReward: (
      request: RequestIdentity,
      values: NewReward,
      variants: readonly VariantChange[] = [],
    ): Promise<Created<RewardRow>> =>
      transact(pool, request.workspace, async (tx) => {
        const replayOf = await claimKey(tx, request, values.id ?? '')
        if (replayOf !== undefined) return { replayOf }
        const row = await insertReward(tx, { ...values, hasVariants: variants.length > 0 })
        await putVariants(tx, request.workspace, row.id, variants)
        return { row }
      }),

    /**
     * What `changeOf` makes of the reward as it is, under its lock; undefined where there is none. Variants
     * not named stay.
     */
    updateReward: (
      request: RequestIdentity,
      id: string,
      changeOf: (before: RewardRow) => RewardChange,
      variants: readonly VariantChange[] = [],
    ) =>
      changeOnce(pool, request, id, lockReward, async (tx, before) => {
        const after = await updateReward(tx, before, changeOf(before))
        await putVariants(tx, request.workspace, id, variants)
        return after
      }),
  }
}

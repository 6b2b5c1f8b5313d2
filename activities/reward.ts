import { claimKey, type RequestIdentity } from '../db/idempotency.ts'
import { putVariants, type VariantChange } from '../db/reward-variants.ts'
import {
  insertReward,
  type NewReward,
  type RewardChange,
  type RewardRow,
  readReward,
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

    /** A repeat changes nothing; `row` is undefined where there is no such reward. */
    updateReward: (
      request: RequestIdentity,
      id: string,
      change: RewardChange,
      variants: readonly VariantChange[] = [],
    ): Promise<{ row: RewardRow | undefined; replayed: boolean }> =>
      transact(pool, request.workspace, async (tx) => {
        const { workspace } = request
        const replayed = (await claimKey(tx, request, id)) !== undefined
        const row = replayed
          ? await readReward(tx, workspace, id)
          : await updateReward(tx, workspace, id, change)
        if (!replayed) await putVariants(tx, workspace, id, variants)
        return { row, replayed }
      }),
  }
}

import { changeOnce, claimKey, type RequestIdentity } from '../db/idempotency.ts'
import { keepDecimals } from '../db/programs.ts'
import { putVariants, type VariantChange } from '../db/reward-variants.ts'
import {
  insertReward,
  lockReward,
  type NewReward,
  type RewardChange,
  type RewardRow,
  updateReward,
} from '../db/rewards.ts'
import { type Db, transact } from '../db/workspace-client.ts'
import type { Creation } from './accounts.ts'
import type { Dependencies } from './dependencies.ts'

/** The writers of the catalogue. */
export function rewardCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /** `values.decimals` are those that its costs were reckoned in; raises 40001 where the program has others. */
    createReward: (
      request: RequestIdentity,
      values: NewReward & { decimals: number },
      variants: readonly VariantChange[] = [],
    ): Promise<Creation<RewardRow>> =>
      transact(pool, request.workspace, async (tx) => {
        const replayOf = await claimKey(tx, request, values.id ?? '')
        if (replayOf !== undefined) return { replayOf }
        const row = await insertReward(tx, { ...values, hasVariants: variants.length > 0 })
        await putVariants(tx, request.workspace, row.id, variants)
        await keepDecimals(tx, request.workspace, values.program, values.decimals)
        return { row }
      }),

    /**
     * What `changeOf` makes of the reward as it is, under its lock; undefined where there is none. Variants
     * not named stay. `costs` says which program's decimals they are in; raises 40001 where
     * they are others by now.
     */
    updateReward: (
      request: RequestIdentity,
      id: string,
      changeOf: (before: RewardRow) => RewardChange,
      costs?: { program: string; decimals: number; variants: readonly VariantChange[] },
    ) => {
      // before the reward: a change of decimals holds them, and rewards after it
      const lock = async (tx: Db, workspace: string, reward: string) => {
        if (costs) await keepDecimals(tx, workspace, costs.program, costs.decimals)
        return lockReward(tx, workspace, reward)
      }
      return changeOnce(pool, request, id, lock, async (tx, before) => {
        const after = await updateReward(tx, before, changeOf(before))
        await putVariants(tx, request.workspace, id, costs?.variants ?? [])
        return after
      })
    },
  }
}

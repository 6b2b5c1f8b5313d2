import { claimKey, type RequestIdentity } from '../db/idempotency.ts'
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
    createReward: (request: RequestIdentity, values: NewReward): Promise<Created<RewardRow>> =>
      transact(pool, request.workspace, async (tx) => {
        const replayOf = await claimKey(tx, request, values.id ?? '')
        return replayOf !== undefined ? { replayOf } : { row: await insertReward(tx, values) }
      }),

    /** A repeat changes nothing; `row` is undefined where there is no such reward. */
    updateReward: (
      request: RequestIdentity,
      id: string,
      change: RewardChange,
    ): Promise<{ row: RewardRow | undefined; replayed: boolean }> =>
      transact(pool, request.workspace, async (tx) => {
        const { workspace } = request
        const replayed = (await claimKey(tx, request, id)) !== undefined
        const row = replayed
          ? await readReward(tx, workspace, id)
          : await updateReward(tx, workspace, id, change)
        return { row, replayed }
      }),
  }
}

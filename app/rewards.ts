import { findCodePool } from '../db/code-pools.ts'
import { changeOnce, claimKey, type RequestIdentity } from '../db/idempotency.ts'
import type { Pool } from '../db/pool.ts'
import { keepDecimals, type ProgramRow } from '../db/programs.ts'
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
import type { CodeVault } from '../domain/gift-card.ts'
import { refuse } from '../domain/refusal.ts'
import type { CodeSource } from '../domain/reward.ts'
import type { Creation } from './accounts.ts'
import type { Dependencies } from './dependencies.ts'
import { exactUnits } from './points.ts'
import { missing } from './refusals.ts'

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

/** Codes need their pool, and a server that can seal them. */
export async function refuseCodes(
  { pool, codes: vault }: { readonly pool: Pool; readonly codes: CodeVault | undefined },
  workspace: string,
  codes: CodeSource | null,
) {
  if (codes === null) return
  if (vault === undefined) {
    refuse('parameter_invalid', 'codes: the server has no GIFT_CODE_KEYS to seal codes with.', {
      param: 'codes',
    })
  }
  if ('pool' in codes && (await findCodePool(pool, workspace, codes.pool)) === undefined) {
    missing('codes.pool', codes.pool)
  }
}

/** What tiers pay, in the smallest unit; refuses a tier that the program does not have. */
export function tierUnits(
  program: ProgramRow,
  costs: Record<string, number>,
): Record<string, number> | null {
  const units = Object.entries(costs).map(([tier, cost]) => {
    refuseUnknownTier(program, tier, 'tier_costs')
    return [tier, exactUnits(`tier_costs.${tier}`, cost, program.decimals)] as const
  })
  return units.length === 0 ? null : Object.fromEntries(units)
}

/** Variants whose costs are given in points. */
export function variantUnits(
  variants: readonly VariantChange[],
  decimals: number,
): VariantChange[] {
  return variants.map(({ cost, ...same }, index) => ({
    ...same,
    ...(cost !== undefined && {
      cost: cost === null ? null : exactUnits(`variants.${index}.cost`, cost, decimals),
    }),
  }))
}

/** A tier that the program does not have would close the reward to everybody. */
export function refuseUnknownTier(
  { tierConfig }: ProgramRow,
  tier: string | null | undefined,
  param = 'min_tier',
): void {
  if (tier === null || tier === undefined) return
  const names = tierConfig?.tiers.map(({ name }) => name) ?? []
  if (!names.includes(tier)) {
    refuse('parameter_invalid', `${param}: the program has no tier ${tier}.`, { param })
  }
}

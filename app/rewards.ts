import { findCodePool } from '../db/code-pools.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import { decimalsKept } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import type { ProgramRow } from '../db/programs.ts'
import {
  insertReward,
  lockReward,
  type NewReward,
  putVariants,
  type RewardChange,
  type RewardRow,
  updateReward,
  type VariantChange,
} from '../db/rewards.ts'
import type { CodeVault } from '../domain/gift-card.ts'
import { refuse } from '../domain/refusal.ts'
import type { CodeSource } from '../domain/reward.ts'
import type { Dependencies } from './dependencies.ts'
import { changeOnce, idempotent, type Written } from './idempotent.ts'
import { exactUnits } from './points.ts'
import { missing } from './refusals.ts'

/** `decimals` are those that the costs were reckoned in. */
type PreparedReward = {
  readonly values: Omit<NewReward, 'id'> & { readonly decimals: number }
  readonly variants: readonly VariantChange[]
}

type PreparedChange = {
  /** What becomes of the reward as it is. */
  readonly changeOf: (before: RewardRow) => RewardChange
  readonly program: ProgramRow
  /** Those not named stay. */
  readonly variants: readonly VariantChange[]
}

/**
 * The writers of the catalogue. Costs are reckoned in the program's decimals, which may change until its first
 * transaction: where they have by the time of the write, it raises 40001, and is prepared again.
 */
export function rewardCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    createReward: (
      request: RequestIdentity,
      id: string,
      prepare: () => Promise<PreparedReward>,
    ): Promise<Written<RewardRow>> =>
      idempotent(pool, request, {
        noun: 'reward',
        id,
        prepare: async () => {
          const { values, variants } = await prepare()
          const hasVariants = variants.length > 0
          return async (tx) => {
            const row = await insertReward(tx, { ...values, id, hasVariants })
            await putVariants(tx, request.workspace, id, variants)
            await decimalsKept(tx, {
              workspace: request.workspace,
              program: values.program,
              decimals: values.decimals,
            })
            return row
          }
        },
        find: lockReward,
      }),

    updateReward: (
      request: RequestIdentity,
      id: string,
      prepare: () => Promise<PreparedChange>,
    ): Promise<Written<RewardRow>> => {
      const { workspace } = request
      return idempotent(pool, request, {
        noun: 'reward',
        id,
        prepare: async () => {
          const { changeOf, program, variants } = await prepare()
          return async (tx) => {
            // before the reward: a change of decimals holds them, and rewards after it
            await decimalsKept(tx, {
              workspace,
              program: program.id,
              decimals: program.decimals,
            })
            const before = await lockReward(tx, workspace, id)
            if (before === undefined) return undefined
            const after = await updateReward(tx, before, changeOf(before))
            await putVariants(tx, workspace, id, variants)
            return after
          }
        },
        find: lockReward,
      })
    },

    /** Takes it out of the catalogue, or back into it with null. Archived twice, it stays so since the first time. */
    archiveReward: (
      request: RequestIdentity,
      id: string,
      archivedAt: Date | null,
    ): Promise<Written<RewardRow>> =>
      changeOnce(pool, request, {
        noun: 'reward',
        id,
        lock: lockReward,
        change: (tx, before) =>
          updateReward(tx, before, {
            archivedAt: archivedAt && (before.archivedAt ?? archivedAt),
          }),
      }),
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

import { missing } from '../../app/refusals.ts'
import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import { exactUnits } from '../../app/units.ts'
import { findCodePool } from '../../db/code-pools.ts'
import { findProgram, type ProgramRow } from '../../db/programs.ts'
import type { VariantChange } from '../../db/reward-variants.ts'
import { findReward } from '../../db/rewards.ts'
import { newId } from '../../domain/ids.ts'
import { refuse } from '../../domain/refusal.ts'
import type { CodeSource } from '../../domain/reward.ts'
import { limitColumns, type VariantChanges } from '../schemas/reward-settings.ts'
import { NewReward, presentReward, Reward } from '../schemas/rewards.ts'
import type { Deps } from '../server/deps.ts'
import { endpoint } from '../server/endpoint.ts'
import { created } from '../server/replies.ts'

export const createReward = endpoint({
  method: 'POST',
  path: '/v1/loyalty/rewards',
  summary: 'Add a reward to the catalogue',
  tags: ['rewards'],
  key: 'secret',
  body: NewReward,
  reply: Reward,
  successCodes: [201, 200],
  errors: [
    'resource_missing',
    'invalid_precision',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { workspace, body, deps } = ctx
    const { starts_at, ends_at, per_member_limit, min_tier, cost, tier_costs, variants, ...same } =
      body
    await refuseCodes(deps, workspace, body.codes)
    const id = newId('rwd')
    // the program is read at each try: its decimals may change until its first transaction
    const made = await retryOnConflict(async () => {
      const program = await findProgram(deps.pool, workspace, body.program)
      if (program === undefined) return missing('program', body.program)
      refuseUnknownTier(program, min_tier)
      const { decimals } = program
      const values = {
        ...same,
        workspace,
        id,
        decimals,
        cost: exactUnits('cost', cost, decimals),
        startsAt: starts_at,
        endsAt: ends_at,
        ...limitColumns(per_member_limit),
        tierCosts: tier_costs && tierUnits(program, tier_costs),
        minTier: min_tier,
      }
      return deps.commands.createReward(ctx.request, values, variantUnits(variants, decimals))
    })
    return created(
      'reward',
      made,
      (id) => findReward(deps.pool, workspace, id),
      (row) => presentReward(deps, ctx, row),
    )
  },
})

/** Codes need their pool, and a server that can seal them. */
export async function refuseCodes(deps: Deps, workspace: string, codes: CodeSource | null) {
  if (codes === null) return
  if (deps.codes === undefined) {
    refuse('parameter_invalid', 'codes: the server has no GIFT_CODE_KEYS to seal codes with.', {
      param: 'codes',
    })
  }
  if ('pool' in codes && (await findCodePool(deps.pool, workspace, codes.pool)) === undefined) {
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

export function variantUnits(variants: VariantChanges, decimals: number): VariantChange[] {
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

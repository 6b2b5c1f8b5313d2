import { exactUnits } from '../../app/points.ts'
import { missing } from '../../app/refusals.ts'
import { refuseCodes, refuseUnknownTier, tierUnits, variantUnits } from '../../app/rewards.ts'
import { findProgram } from '../../db/programs.ts'
import { newId } from '../../domain/ids.ts'
import { limitColumns } from '../schemas/reward-settings.ts'
import { NewReward, presentReward, Reward } from '../schemas/rewards.ts'
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
    const made = await deps.commands.createReward(ctx.request, newId('rwd'), async () => {
      await refuseCodes(deps, workspace, body.codes)
      const program = await findProgram(deps.pool, workspace, body.program)
      if (program === undefined) return missing('program', body.program)
      refuseUnknownTier(program, min_tier)
      const { decimals } = program
      const values = {
        ...same,
        workspace,
        decimals,
        cost: exactUnits('cost', cost, decimals),
        startsAt: starts_at,
        endsAt: ends_at,
        ...limitColumns(per_member_limit),
        tierCosts: tier_costs && tierUnits(program, tier_costs),
        minTier: min_tier,
      }
      return { values, variants: variantUnits(variants, decimals) }
    })
    return created(made, (row) => presentReward(deps, ctx, row))
  },
})

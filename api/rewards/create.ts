import { findProgram, type ProgramRow } from '../../db/programs.ts'
import { findReward } from '../../db/rewards.ts'
import { newId } from '../../domain/ids.ts'
import { refuse } from '../../domain/refusal.ts'
import { write } from '../contention.ts'
import { endpoint } from '../endpoint.ts'
import { NewReward, Reward } from '../objects/reward.ts'
import { missing, notFound } from '../points-refusal.ts'
import { identityOf } from '../request-identity.ts'
import { exactUnits } from '../units.ts'
import { presentReward } from './present.ts'

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
    const { starts_at, ends_at, per_member_limit, min_tier, cost, ...same } = body
    const program = await findProgram(deps.pool, workspace, body.program)
    if (program === undefined) return missing('program', body.program)
    refuseUnknownTier(program, min_tier)

    const values = {
      ...same,
      workspace,
      id: newId('rwd'),
      cost: exactUnits('cost', cost, program.decimals),
      startsAt: starts_at,
      endsAt: ends_at,
      perMemberLimit: per_member_limit,
      minTier: min_tier,
    }
    const request = identityOf('POST /v1/loyalty/rewards', ctx)
    const created = await write(() => deps.activities.createReward(request, values))
    if ('row' in created) {
      return { status: 'created', object: await presentReward(deps, ctx, created.row) }
    }
    const row = await findReward(deps.pool, workspace, created.replayOf)
    if (row === undefined) return notFound('reward', created.replayOf)
    return { status: 'ok', replayed: true, object: await presentReward(deps, ctx, row) }
  },
})

/** A tier that the program does not have would close the reward to everybody. */
export function refuseUnknownTier(
  { tierConfig }: ProgramRow,
  tier: string | null | undefined,
): void {
  if (tier === null || tier === undefined) return
  const names = tierConfig?.tiers.map(({ name }) => name) ?? []
  if (!names.includes(tier)) {
    refuse('parameter_invalid', `min_tier: the program has no tier ${tier}.`, { param: 'min_tier' })
  }
}

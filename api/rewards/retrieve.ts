import { findReward } from '../../db/rewards.ts'
import { endpoint } from '../endpoint.ts'
import { Reward } from '../objects/reward.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../values/id.ts'
import { presentReward } from './present.ts'

export const retrieveReward = endpoint({
  method: 'GET',
  path: '/v1/loyalty/rewards/{id}',
  summary: 'Retrieve a reward',
  tags: ['rewards'],
  key: 'publishable',
  params: idPath('rwd'),
  reply: Reward,
  errors: ['resource_missing'],
  handle: async (ctx) => {
    const row = await findReward(ctx.deps.pool, ctx.workspace, ctx.params.id)
    if (row === undefined) return notFound('reward', ctx.params.id)
    return { status: 'ok', object: await presentReward(ctx.deps, ctx, row) }
  },
})

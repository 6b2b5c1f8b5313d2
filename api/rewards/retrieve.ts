import { z } from 'zod'
import { findReward, findRewardOnSale } from '../../db/rewards.ts'
import { shopRewardObject } from '../../domain/objects/shop-reward.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { presentReward, Reward, ShopReward } from '../schemas/rewards.ts'
import { endpoint } from '../server/endpoint.ts'

export const retrieveReward = endpoint({
  method: 'GET',
  path: '/v1/loyalty/rewards/{id}',
  summary: 'Retrieve a reward',
  description:
    'A publishable key is shown one that is on sale now, in the fields that a shopper chooses by.',
  tags: ['rewards'],
  key: 'publishable',
  params: idPath('rwd'),
  reply: z.union([Reward, ShopReward]),
  errors: ['resource_missing'],
  handle: async (ctx) => {
    const { workspace, publishable, params, deps } = ctx
    const find = publishable ? findRewardOnSale : findReward
    const row = await find(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('reward', params.id)
    const whole = await presentReward(deps, ctx, row)
    return { status: 'ok', object: publishable ? shopRewardObject(whole) : whole }
  },
})

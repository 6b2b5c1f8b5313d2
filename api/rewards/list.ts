import { z } from 'zod'
import { findAccount } from '../../db/accounts.ts'
import { listRewards as readRewards } from '../../db/rewards.ts'
import { shopRewardObject } from '../../domain/objects/shop-reward.ts'
import { refuse } from '../../domain/refusal.ts'
import { REWARD_TYPES } from '../../domain/reward.ts'
import { missing } from '../points-refusal.ts'
import { id } from '../schemas/ids.ts'
import { flag, listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { presentRewards, Reward, ShopReward } from '../schemas/rewards.ts'
import { text } from '../schemas/text.ts'
import type { Deps } from '../server/deps.ts'
import { endpoint } from '../server/endpoint.ts'
import { forAccount } from './for-account.ts'

const path = '/v1/loyalty/rewards'

export const listRewards = endpoint({
  method: 'GET',
  path,
  summary: 'List the catalogue',
  description:
    "With `account`, the rewards of that member's program, each, and each of its variants, with `affordable`, `reasons` and what it costs them (`points`). A publishable key is shown what is on sale now, in the fields that a shopper chooses by.",
  tags: ['rewards'],
  key: 'publishable',
  query: listQuery('rwd', {
    account: id('loy').optional(),
    program: id('prog').optional(),
    type: z.enum(REWARD_TYPES).optional(),
    active: flag.optional(),
    category: text(60).optional(),
    archived: flag
      .default(false)
      .meta({ description: 'true lists what was archived, which is left out otherwise.' }),
  }),
  reply: listReply(z.union([Reward, ShopReward])),
  errors: ['resource_missing'],
  handle: async (ctx) => {
    const { workspace, publishable, query, deps } = ctx
    const { account: asked, type, active, category, archived } = query
    const account = await accountOf(deps, workspace, query)
    const program = account?.program ?? query.program
    if (publishable && account !== undefined) {
      await deps.shopperQuestions.take(`${workspace} ${account.mergedInto ?? account.id}`)
    }
    const filter = { program, type, active, category, archived, onSale: publishable }
    const { rows, hasMore } = await readRewards(deps.pool, workspace, filter, pageOf(query))
    const whole = await presentRewards(deps, ctx, rows)
    const shown = publishable ? whole.map(shopRewardObject) : whole
    const data =
      account === undefined || asked === undefined
        ? shown
        : await forAccount(deps, ctx, { id: asked, program: account.program }, shown)
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})

type Asked = { readonly account?: string | undefined; readonly program?: string | undefined }

/** The member asked for, who sees their own program's rewards. */
async function accountOf({ pool }: Deps, workspace: string, asked: Asked) {
  if (asked.account === undefined) return undefined
  const account = await findAccount(pool, workspace, asked.account)
  if (account === undefined) return missing('account', asked.account)
  if (asked.program !== undefined && asked.program !== account.program) {
    refuse('parameter_invalid', 'program: is not the one of the account.', { param: 'program' })
  }
  return account
}

import { z } from 'zod'
import { findAccount } from '../../db/accounts.ts'
import { type RewardRow, listRewards as readRewards } from '../../db/rewards.ts'
import { refuse } from '../../domain/refusal.ts'
import { REWARD_TYPES } from '../../domain/reward.ts'
import type { Deps } from '../deps.ts'
import { endpoint } from '../endpoint.ts'
import { listOf, listQuery, listReply, pageOf } from '../list.ts'
import { Reward } from '../objects/reward.ts'
import { missing } from '../points-refusal.ts'
import { judge, reasonsOf } from '../redemptions/judge.ts'
import { flag } from '../values/flag.ts'
import { id } from '../values/id.ts'
import { presentReward } from './present.ts'

const path = '/v1/loyalty/rewards'

export const listRewards = endpoint({
  method: 'GET',
  path,
  summary: 'List the catalogue',
  description:
    "With `account`, the rewards of that member's program, each with `affordable` and `reasons`.",
  tags: ['rewards'],
  key: 'publishable',
  query: listQuery('rwd', {
    account: id('loy').optional(),
    program: id('prog').optional(),
    type: z.enum(REWARD_TYPES).optional(),
    active: flag.optional(),
  }),
  reply: listReply(Reward),
  errors: ['resource_missing'],
  handle: async (ctx) => {
    const { workspace, query, deps } = ctx
    const { account, type, active } = query
    const program = await programOf(deps, workspace, query)
    const filter = { program, type, active }
    const { rows, hasMore } = await readRewards(deps.pool, workspace, filter, pageOf(query))
    const data = await Promise.all(
      rows.map(async (row) => ({
        ...(await presentReward(deps, ctx, row)),
        ...(account !== undefined && (await forAccount(deps, workspace, row, account))),
      })),
    )
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})

type Asked = { readonly account?: string | undefined; readonly program?: string | undefined }

/** The program to list: a member sees their own program's rewards. */
async function programOf({ pool }: Deps, workspace: string, asked: Asked) {
  if (asked.account === undefined) return asked.program
  const account = await findAccount(pool, workspace, asked.account)
  if (account === undefined) return missing('account', asked.account)
  if (asked.program !== undefined && asked.program !== account.program) {
    refuse('parameter_invalid', 'program: is not the one of the account.', { param: 'program' })
  }
  return account.program
}

async function forAccount(
  deps: Deps,
  workspace: string,
  { id: reward }: RewardRow,
  account: string,
) {
  const reasons = reasonsOf(await judge(deps, workspace, { account, reward, quantity: 1 }))
  return { affordable: reasons.length === 0, reasons }
}

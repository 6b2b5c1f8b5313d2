import { z } from 'zod'
import { reasonsOf, withoutFields } from '../../app/quotes.ts'
import { missing } from '../../app/refusals.ts'
import { findAccount } from '../../db/accounts.ts'
import type { RewardEligibility } from '../../db/results/reward.ts'
import { readEligibilities, listRewards as readRewards } from '../../db/rewards.ts'
import { pointsOf } from '../../domain/points.ts'
import { refuse } from '../../domain/refusal.ts'
import { REWARD_TYPES, shopRewardObject } from '../../domain/reward.ts'
import { id } from '../schemas/ids.ts'
import { flag, listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { presentRewards, Reward, ShopReward } from '../schemas/rewards.ts'
import { text } from '../schemas/text.ts'
import type { Deps } from '../server/deps.ts'
import { endpoint } from '../server/endpoint.ts'

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

type CatalogueQuery = {
  readonly account?: string | undefined
  readonly program?: string | undefined
}

/** The member asked for, who sees their own program's rewards. */
async function accountOf({ pool }: Deps, workspace: string, asked: CatalogueQuery) {
  if (asked.account === undefined) return undefined
  const account = await findAccount(pool, workspace, asked.account)
  if (account === undefined) return missing('account', asked.account)
  if (asked.program !== undefined && asked.program !== account.program) {
    refuse('parameter_invalid', 'program: is not the one of the account.', { param: 'program' })
  }
  return account
}

type RewardInPage = { readonly id: string; readonly variants: readonly { readonly id: string }[] }
type Reasons = ReturnType<typeof reasonsOf>
type Eligibility = { affordable: boolean; reasons: Reasons; points: number }

/**
 * A page of the catalogue with what each reward is to a member: its price, and why they may not have it,
 * to a publishable key without the numbers.
 */
async function forAccount<R extends RewardInPage>(
  deps: Deps,
  { workspace, publishable }: { workspace: string; publishable: boolean },
  account: { id: string; program: string },
  rewards: readonly R[],
) {
  const ids = rewards.map(({ id }) => id)
  const eligibilities = await readEligibilities(deps.pool, workspace, account.id, ids)
  if (eligibilities === null) return missing('account', account.id)
  const decimals = await deps.decimals.ofProgram(workspace, account.program)
  const byKey = new Map(
    eligibilities.map((one) => {
      const eligibility = shown(one, decimals)
      const reasons = publishable ? withoutFields(eligibility.reasons) : eligibility.reasons
      return [keyOf(one.reward, one.variant), { ...eligibility, reasons }]
    }),
  )
  return rewards.map((reward) => {
    if (reward.variants.length === 0) return { ...reward, ...byKey.get(keyOf(reward.id, null)) }
    const variants = reward.variants.map((variant) => ({
      ...variant,
      ...byKey.get(keyOf(reward.id, variant.id)),
    }))
    return { ...reward, ...best(variants), variants }
  })
}

const keyOf = (reward: string, variant: string | null) => `${reward} ${variant ?? ''}`

function shown({ points, refusals }: RewardEligibility, decimals: number): Eligibility {
  const reasons = reasonsOf({ refusals, decimals })
  return { affordable: reasons.length === 0, reasons, points: pointsOf(points, decimals) }
}

/** Of several variants the one nearest to being had, and among those the cheapest. */
function best(variants: readonly Partial<Eligibility>[]): Partial<Eligibility> {
  const known = variants.filter((one): one is Eligibility => one.reasons !== undefined)
  const [first] = known.sort((a, b) => a.reasons.length - b.reasons.length || a.points - b.points)
  if (first === undefined) return {}
  const { affordable, reasons, points } = first
  return { affordable, reasons, points }
}

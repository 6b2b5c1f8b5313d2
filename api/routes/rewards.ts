import { z } from 'zod'
import { exactUnits } from '../../app/points.ts'
import { missing, notFound } from '../../app/refusals.ts'
import { refuseCodes, refuseUnknownTier, tierUnits, variantUnits } from '../../app/rewards.ts'
import { databaseNow } from '../../db/clock.ts'
import { findProgram, type ProgramRow } from '../../db/programs.ts'
import {
  findReward,
  findRewardOnSale,
  type RewardChange,
  type RewardRow,
} from '../../db/rewards.ts'
import { newId } from '../../domain/ids.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import { shopRewardObject } from '../../domain/reward.ts'
import { idPath } from '../schemas/ids.ts'
import { limitColumns, VALUE_OF } from '../schemas/reward-settings.ts'
import { NewReward, presentReward, Reward, RewardUpdate, ShopReward } from '../schemas/rewards.ts'
import { mergedMetadata } from '../schemas/text.ts'
import { refuseReversed } from '../schemas/times.ts'
import { type Context, created, updated } from '../server/declaration.ts'
import type { Deps } from '../server/deps.ts'
import { endpoint } from '../server/endpoint.ts'
import { refusalOf } from '../server/failure.ts'

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

type Change = z.output<typeof RewardUpdate>

export const updateReward = endpoint({
  method: 'PATCH',
  path: '/v1/loyalty/rewards/{id}',
  summary: 'Update a reward',
  description:
    'Fields not named stay, also inside `value`, `fulfillment`, `tier_costs`, each of `variants`, and `metadata`.',
  tags: ['rewards'],
  key: 'secret',
  params: idPath('rwd'),
  body: RewardUpdate,
  reply: Reward,
  errors: [
    'resource_missing',
    'invalid_precision',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { workspace, params, body, deps } = ctx
    const changed = await deps.commands.updateReward(ctx.request, params.id, async () => {
      const before = await findReward(deps.pool, workspace, params.id)
      if (before === undefined) return notFound('reward', params.id)
      if (body.codes !== undefined) await refuseCodes(deps, workspace, body.codes)
      const program = await findProgram(deps.pool, workspace, before.program)
      if (program === undefined) throw new Error(`no program ${before.program}`)
      refuseUnknownTier(program, body.min_tier)
      const variants = variantUnits(body.variants ?? [], program.decimals)
      return { program, variants, changeOf: (reward) => changeOf(reward, body, program) }
    })
    return updated(changed, (row) => presentReward(deps, ctx, row))
  },
})

/** The columns that change; undefined leaves one as it is. */
function changeOf(before: RewardRow, body: Change, program: ProgramRow): RewardChange {
  const {
    starts_at: startsAt,
    ends_at: endsAt,
    per_member_limit,
    min_tier,
    cost,
    value,
    fulfillment,
    metadata,
    tier_costs,
    variants = [],
    ...same
  } = body
  refuseMisfits(before, body)
  refuseReversed('reward', before, { startsAt, endsAt })
  return {
    ...same,
    startsAt,
    endsAt,
    ...limitColumns(per_member_limit),
    minTier: min_tier,
    cost: cost === undefined ? undefined : exactUnits('cost', cost, program.decimals),
    decimals: cost === undefined && tier_costs == null ? undefined : program.decimals,
    tierCosts: tier_costs === undefined ? undefined : mergedTierCosts(before, tier_costs, program),
    hasVariants: variants.length > 0 ? true : undefined,
    value: value && mergedValue(before, value),
    fulfillment: fulfillment && { ...before.fulfillment, ...fulfillment },
    metadata: metadata && mergedMetadata(before.metadata, metadata),
  }
}

/** What the reward would be like after the change and may not be. */
function refuseMisfits(before: RewardRow, { codes, inventory, variants = [] }: Change): void {
  if (codes && before.type !== 'gift_card') {
    refuse('parameter_invalid', 'codes: are for gift cards only.', { param: 'codes' })
  }
  const stock = inventory === undefined ? before.inventory : inventory
  if (stock !== null && (before.hasVariants || variants.length > 0)) {
    refuse('parameter_invalid', 'inventory: is counted by variant where a reward has variants.', {
      param: 'inventory',
    })
  }
}

/** Tiers not named keep what they pay; null takes one away, or all of them. */
function mergedTierCosts(
  { tierCosts }: RewardRow,
  change: NonNullable<Change['tier_costs']> | null,
  program: ProgramRow,
) {
  if (change === null) return null
  const named = Object.entries(change)
  const set = named.filter((entry): entry is [string, number] => entry[1] !== null)
  const kept = Object.entries(tierCosts ?? {}).filter(([tier]) => !Object.hasOwn(change, tier))
  const merged = { ...Object.fromEntries(kept), ...tierUnits(program, Object.fromEntries(set)) }
  return Object.keys(merged).length === 0 ? null : merged
}

function mergedValue({ type, value }: RewardRow, change: NonNullable<Change['value']>) {
  const entries = Object.entries({ ...value, ...change }).filter(([, field]) => field !== null)
  const merged = Object.fromEntries(entries)
  const result = VALUE_OF[type].safeParse(merged)
  if (result.success) return result.data
  const refusal = refusalOf(result.error, merged)
  const param = refusal.param === undefined ? 'value' : `value.${refusal.param}`
  throw new Refused({ ...refusal, message: `${param}: does not fit a ${type}.`, param })
}

const verb = {
  method: 'POST',
  tags: ['rewards'],
  key: 'secret',
  params: idPath('rwd'),
  reply: Reward,
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
} as const

export const archiveReward = endpoint({
  ...verb,
  path: '/v1/loyalty/rewards/{id}/archive',
  summary: 'Take a reward out of the catalogue',
  description:
    'It is listed only with `archived=true` and can no longer be redeemed; what was redeemed of it stays.',
  handle: async (ctx) => move(ctx, await databaseNow(ctx.deps.pool)),
})

export const unarchiveReward = endpoint({
  ...verb,
  path: '/v1/loyalty/rewards/{id}/unarchive',
  summary: 'Put a reward back into the catalogue',
  handle: (ctx) => move(ctx, null),
})

type RewardContext = Context<{ id: string }, Record<string, never>, Record<string, never>, Deps>

async function move(ctx: RewardContext, archivedAt: Date | null) {
  const { params, deps } = ctx
  const moved = await deps.commands.archiveReward(ctx.request, params.id, archivedAt)
  return updated(moved, (row) => presentReward(deps, ctx, row))
}

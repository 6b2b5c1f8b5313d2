import type { z } from 'zod'
import { exactUnits } from '../../app/points.ts'
import { notFound } from '../../app/refusals.ts'
import { refuseCodes, refuseUnknownTier, tierUnits, variantUnits } from '../../app/rewards.ts'
import { findProgram, type ProgramRow } from '../../db/programs.ts'
import { findReward, type RewardChange, type RewardRow } from '../../db/rewards.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { limitColumns, VALUE_OF } from '../schemas/reward-settings.ts'
import { presentReward, Reward, RewardUpdate } from '../schemas/rewards.ts'
import { mergedMetadata } from '../schemas/text.ts'
import { refuseReversed } from '../schemas/times.ts'
import { endpoint } from '../server/endpoint.ts'
import { refusalOf } from '../server/invalid.ts'
import { updated } from '../server/replies.ts'

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

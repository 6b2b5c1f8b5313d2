import { z } from 'zod'
import { listVariants, type RewardRow } from '../../db/rewards.ts'
import { OVERDUE_POLICIES } from '../../domain/redemption.ts'
import { REWARD_TYPES, rewardObject, SHORTEST_HOLD_MINUTES } from '../../domain/reward.ts'
import type { Deps } from '../server/deps.ts'
import { positivePoints } from './amounts.ts'
import { id } from './ids.ts'
import { Reason } from './quotes.ts'
import {
  CodeSourceShown,
  categories,
  codeSource,
  fitsType,
  images,
  perMemberLimit,
  RewardValue,
  RewardValueChange,
  stock,
  tierCosts,
  variantChanges,
} from './reward-settings.ts'
import { metadata, metadataUpdate, text } from './text.ts'
import { bodyTimeOrNull, time } from './times.ts'

const LONGEST_NAME = 200
const LONGEST_HOLD_MINUTES = 43_200 // 30 days: beyond it the points are better not held at all

const onOverdue = z.enum(OVERDUE_POLICIES)
const fulfillmentUpdate = z.strictObject({
  deadlineDays: z.number().int().min(1).max(365).optional(),
  onOverdue: onOverdue.optional(),
})
const fulfillment = fulfillmentUpdate.extend({ onOverdue: onOverdue.default('notify') })

const eligibility = {
  affordable: z
    .boolean()
    .optional()
    .meta({ description: 'Where the list was asked for an account.' }),
  reasons: z
    .array(Reason)
    .optional()
    .meta({ description: 'Why that account may not redeem it now; empty where it may.' }),
  points: positivePoints
    .optional()
    .meta({ description: 'What one costs that account; of several variants the cheapest.' }),
}

const Variant = z
  .object({
    id: z.string(),
    attributes: z.record(z.string(), z.string()),
    inventory: z.number().int().nullable(),
    cost: positivePoints.nullable(),
    active: z.boolean(),
    ...eligibility,
  })
  .meta({
    id: 'RewardVariant',
    description: 'A size or colour; `cost` null: what the reward costs.',
  })

/** What points buy. */
export const Reward = z
  .object({
    id: id('rwd'),
    object: z.literal('reward'),
    program: id('prog'),
    name: z.string(),
    type: z.enum(REWARD_TYPES),
    cost: positivePoints,
    value: RewardValue,
    active: z.boolean(),
    inventory: z.number().int().nullable(),
    starts_at: time.nullable(),
    ends_at: time.nullable(),
    per_member_limit: z.union([perMemberLimit, z.null()]),
    min_tier: z.string().nullable(),
    holdMinutes: z.number().nullable(),
    fulfillment: z.union([fulfillmentUpdate, z.null()]),
    tier_costs: z.union([z.record(z.string(), positivePoints), z.null()]),
    variants: z.array(Variant),
    codes: z.union([CodeSourceShown, z.null()]),
    categories: z.array(z.string()),
    images: z.array(z.string()),
    archived_at: time.nullable(),
    ...eligibility,
    metadata,
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({ id: 'Reward', description: 'What points buy.' })

/** What a publishable key is shown of a reward. */
export const ShopReward = Reward.omit({
  active: true,
  inventory: true,
  fulfillment: true,
  codes: true,
  archived_at: true,
  metadata: true,
})
  .extend({
    variants: z.array(
      Variant.omit({ inventory: true, active: true }).meta({
        id: 'ShopRewardVariant',
        description: 'A size or colour that is sold.',
      }),
    ),
  })
  .meta({ id: 'ShopReward', description: 'What a publishable key is shown of a reward.' })

const settings = {
  name: text(LONGEST_NAME),
  cost: positivePoints,
  active: z.boolean(),
  inventory: stock.nullable(),
  starts_at: bodyTimeOrNull,
  ends_at: bodyTimeOrNull,
  per_member_limit: perMemberLimit.nullable(),
  min_tier: text(LONGEST_NAME).nullable(),
  holdMinutes: z.number().min(SHORTEST_HOLD_MINUTES).max(LONGEST_HOLD_MINUTES).nullable(),
} as const

/** What puts a reward into the catalogue. */
export const NewReward = z
  .strictObject({
    program: id('prog').default('prog_default'),
    name: settings.name,
    type: z.enum(REWARD_TYPES).default('discount_percent'),
    cost: settings.cost,
    value: RewardValue,
    active: settings.active.default(true),
    inventory: settings.inventory.default(null),
    starts_at: settings.starts_at.default(null),
    ends_at: settings.ends_at.default(null),
    per_member_limit: settings.per_member_limit.default(null),
    min_tier: settings.min_tier.default(null),
    holdMinutes: settings.holdMinutes.default(null),
    fulfillment: fulfillment.optional(),
    tier_costs: tierCosts.nullable().default(null),
    variants: variantChanges.default([]),
    codes: codeSource.nullable().default(null),
    categories: categories.default([]),
    images: images.default([]),
    metadata: metadata.default({}),
  })
  .refine(({ type, value }) => fitsType(type, value), {
    error: "does not fit the reward's type",
    path: ['value'],
  })
  .refine(endsAfterStart, { error: 'must be after starts_at', path: ['ends_at'] })
  .refine(({ type, codes }) => codes === null || type === 'gift_card', {
    error: 'are for gift cards only',
    path: ['codes'],
  })
  .refine(({ inventory, variants }) => inventory === null || variants.length === 0, {
    error: 'is counted by variant where a reward has variants',
    path: ['inventory'],
  })
  .meta({ id: 'NewReward' })

/** What may change about a reward; its program and type may not. */
export const RewardUpdate = z
  .strictObject({
    name: settings.name.optional(),
    cost: settings.cost.optional(),
    value: RewardValueChange.optional(),
    active: settings.active.optional(),
    inventory: settings.inventory.optional(),
    starts_at: settings.starts_at.optional(),
    ends_at: settings.ends_at.optional(),
    per_member_limit: settings.per_member_limit.optional(),
    min_tier: settings.min_tier.optional(),
    holdMinutes: settings.holdMinutes.optional(),
    fulfillment: fulfillmentUpdate.optional(),
    tier_costs: z.record(text(LONGEST_NAME), positivePoints.nullable()).nullable().optional(),
    variants: variantChanges.optional(),
    codes: codeSource.nullable().optional(),
    categories: categories.optional(),
    images: images.optional(),
    metadata: metadataUpdate.optional(),
  })
  .refine(endsAfterStart, { error: 'must be after starts_at', path: ['ends_at'] })
  .meta({ id: 'RewardUpdate' })

function endsAfterStart({
  starts_at,
  ends_at,
}: {
  starts_at?: Date | null
  ends_at?: Date | null
}): boolean {
  return !starts_at || !ends_at || starts_at < ends_at
}

type Ctx = { workspace: string; livemode: boolean }

/** Rewards as the API shows them. */
export async function presentRewards(
  { pool, decimals }: Deps,
  { workspace, livemode }: Ctx,
  rows: readonly RewardRow[],
) {
  const varied = rows.filter(({ hasVariants }) => hasVariants).map(({ id }) => id)
  const variants = await listVariants(pool, workspace, varied)
  return Promise.all(
    rows.map(async (row) => {
      const scale = { decimals: await decimals.ofProgram(workspace, row.program), livemode }
      return rewardObject(row, scale, variants.get(row.id))
    }),
  )
}

/** One reward as the API shows it. */
export async function presentReward(deps: Deps, ctx: Ctx, row: RewardRow) {
  const [object] = await presentRewards(deps, ctx, [row])
  if (object === undefined) throw new Error(`reward ${row.id} was not presented`)
  return object
}

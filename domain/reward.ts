import type { Scale } from './account.ts'
import { pointsOf } from './points.ts'

export const REWARD_TYPES = [
  'discount_percent',
  'discount_amount',
  'free_product',
  'store_credit',
  'gift_card',
  'partner',
] as const

export type RewardType = (typeof REWARD_TYPES)[number]

/** Whether redeeming it makes a discount that waits for a payment, and so needs a timer. */
export function waitsForAPayment(type: RewardType): boolean {
  return type === 'discount_percent' || type === 'discount_amount'
}

/** The shortest hold, 600 ms: what is shorter ends before a checkout has its answer. */
export const SHORTEST_HOLD_MINUTES = 0.01

/** In which a per-member limit counts; days, weeks (from Monday) and months of the program's time zone. */
export const LIMIT_WINDOWS = ['lifetime', 'day', 'week', 'month'] as const

export type LimitWindow = (typeof LIMIT_WINDOWS)[number]

/** Where a gift card's codes come from: uploaded in advance, or made at each redemption. */
export type CodeSource =
  | { readonly pool: string }
  | { readonly generated: { readonly prefix?: string; readonly length: number } }

type RewardValue =
  | { percent: number; maxAmount?: number; currency?: string }
  | { amount: number; currency: string; expiresDays?: number }
  | { product: string; quantity?: number }
  | { partner: string; sku: string }

type RewardFacts = {
  readonly id: string
  readonly program: string
  readonly name: string
  readonly type: RewardType
  readonly cost: number
  readonly value: RewardValue
  readonly active: boolean
  readonly inventory: number | null
  readonly startsAt: Date | null
  readonly endsAt: Date | null
  readonly perMemberLimit: number | null
  readonly limitWindow: LimitWindow
  readonly minTier: string | null
  readonly holdMinutes: number | null
  readonly fulfillment: { deadlineDays?: number; onOverdue?: 'notify' | 'refund' } | null
  readonly tierCosts: Record<string, number> | null
  readonly codes: CodeSource | null
  readonly categories: readonly string[]
  readonly images: readonly string[]
  readonly archivedAt: Date | null
  readonly metadata: Record<string, string>
  readonly createdAt: Date
}

/** One size or colour of a reward. */
type VariantFacts = {
  readonly id: string
  readonly attributes: Record<string, string>
  readonly inventory: number | null
  readonly cost: number | null
  readonly active: boolean
}

/** A reward as the API shows it; the cost comes in the program's smallest unit. */
export function rewardObject(
  row: RewardFacts,
  { decimals, livemode }: Scale,
  variants: readonly VariantFacts[] = [],
) {
  return {
    id: row.id,
    object: 'reward' as const,
    program: row.program,
    name: row.name,
    type: row.type,
    cost: pointsOf(row.cost, decimals),
    value: row.value,
    active: row.active,
    inventory: row.inventory,
    starts_at: row.startsAt?.toISOString() ?? null,
    ends_at: row.endsAt?.toISOString() ?? null,
    per_member_limit: limitOf(row),
    min_tier: row.minTier,
    holdMinutes: row.holdMinutes,
    fulfillment: row.fulfillment,
    tier_costs:
      row.tierCosts === null
        ? null
        : Object.fromEntries(
            Object.entries(row.tierCosts).map(([tier, cost]) => [tier, pointsOf(cost, decimals)]),
          ),
    variants: variants.map(({ id, attributes, inventory, cost, active }) => ({
      id,
      attributes,
      inventory,
      cost: cost === null ? null : pointsOf(cost, decimals),
      active,
    })),
    codes: row.codes,
    categories: [...row.categories],
    images: [...row.images],
    archived_at: row.archivedAt?.toISOString() ?? null,
    metadata: row.metadata,
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}

/** A plain number counts for life. */
function limitOf({ perMemberLimit: quantity, limitWindow: window }: RewardFacts) {
  return quantity === null || window === 'lifetime' ? quantity : { quantity, window }
}

type Whole = ReturnType<typeof rewardObject>

/**
 * A reward as a publishable key is shown it: what a shopper chooses by, field by field, so that a field
 * added to rewards stays hidden until it is named here. Of its variants those that are sold.
 */
export function shopRewardObject(reward: Whole) {
  return {
    id: reward.id,
    object: reward.object,
    program: reward.program,
    name: reward.name,
    type: reward.type,
    cost: reward.cost,
    value: reward.value,
    starts_at: reward.starts_at,
    ends_at: reward.ends_at,
    per_member_limit: reward.per_member_limit,
    min_tier: reward.min_tier,
    holdMinutes: reward.holdMinutes,
    tier_costs: reward.tier_costs,
    variants: reward.variants
      .filter(({ active }) => active)
      .map(({ id, attributes, cost }) => ({ id, attributes, cost })),
    categories: reward.categories,
    images: reward.images,
    created_at: reward.created_at,
    livemode: reward.livemode,
  }
}

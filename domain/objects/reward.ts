import { pointsOf } from '../points.ts'
import type { CodeSource, LimitWindow, RewardType } from '../reward.ts'
import type { Scale } from './account.ts'

export type RewardValue =
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

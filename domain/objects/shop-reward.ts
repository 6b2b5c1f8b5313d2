import type { rewardObject } from './reward.ts'

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

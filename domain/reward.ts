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

/** The reward of what tills hold, one a program, as `event_hold` names it. It is nobody's to sell or change. */
export const rewardForTills = (program: string): string => `rwd_at_till_${program.slice(5, 53)}`

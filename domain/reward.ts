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

/**
 * pending -> applied | released | reversed; released -> applied (rehold only);
 * fulfillment_pending -> fulfilled | reversed; applied | fulfilled -> reversed.
 */
export const REDEMPTION_STATUSES = [
  'pending',
  'fulfillment_pending',
  'applied',
  'fulfilled',
  'released',
  'reversed',
] as const

export type RedemptionStatus = (typeof REDEMPTION_STATUSES)[number]

/** What will happen by itself, in the order in which equal times are listed. */
export const UPCOMING_KINDS = [
  'earning_matures',
  'expiry_check',
  'fulfillment_deadline',
  'payment_expires',
  'points_expire',
  'points_warning',
  'redemption_release',
  'tier_review',
  'webhook_attempt',
] as const
export type UpcomingKind = (typeof UPCOMING_KINDS)[number]

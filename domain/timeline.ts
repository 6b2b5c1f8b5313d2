/** What a member's timeline is made of. */
export const TIMELINE_KINDS = [
  'transaction',
  'redemption',
  'tier_change',
  'identity_registered',
  'identity_revoked',
  'merge',
] as const
export type TimelineKind = (typeof TIMELINE_KINDS)[number]

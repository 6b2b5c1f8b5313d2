import { pointsOf } from './points.ts'
import type { TierQualification } from './program.ts'

export const ACCOUNT_STATUSES = ['active', 'closed', 'merged'] as const
type AccountStatus = (typeof ACCOUNT_STATUSES)[number]

/** Why a member's tier changed. */
export const TIER_REASONS = [
  'enrolled',
  'qualified',
  'lapsed',
  'set',
  'merged',
  'reconfigured',
] as const

type AccountFacts = {
  readonly id: string
  readonly program: string
  readonly customer: string | null
  readonly status: AccountStatus
  readonly balance: number
  readonly lifetimePoints: number
  readonly tier: string | null
  readonly tierSince: Date | null
  readonly mergedInto: string | null
  readonly metadata: Record<string, string>
  readonly createdAt: Date
}

/** Lots with a date, soonest first, and the sum of those that are past it and only not yet written off. */
type Expiring = {
  readonly expiring: readonly { readonly points: number; readonly expiresAt: Date }[]
  readonly due: number
}

/** How a member stands between tiers; numbers in the smallest unit, or in minor units of money where spend counts. */
type TierFacts = {
  readonly qualifyOn: TierQualification
  readonly qualifying: number | null
  readonly next: { readonly name: string; readonly threshold: number } | null
  readonly lapsesAt: Date | null
}

export type Scale = {
  /** The program's decimals. */
  readonly decimals: number
  readonly livemode: boolean
}

const NOTHING_EXPIRES: Expiring = { expiring: [], due: 0 }

/** An account as the API and events show it; what is due counts as expired already. Amounts come in the smallest unit. */
export function accountObject(
  row: AccountFacts,
  scale: Scale,
  lots: Expiring = NOTHING_EXPIRES,
  pending = 0,
  tier?: TierFacts,
) {
  const { decimals, livemode } = scale
  return {
    id: row.id,
    object: 'loyalty_account' as const,
    program: row.program,
    customer: row.customer,
    status: row.status,
    balance: pointsOf(row.balance - lots.due, decimals),
    lifetime_points: pointsOf(row.lifetimePoints, decimals),
    pending_points: pointsOf(pending, decimals),
    tier: row.tier,
    ...(tier !== undefined && { tier_progress: tierProgress(row, tier, decimals) }),
    ...(row.mergedInto !== null && { merged_into: row.mergedInto }),
    expiring_points: lots.expiring.map(({ points, expiresAt }) => ({
      points: pointsOf(points, decimals),
      expires_at: expiresAt.toISOString(),
    })),
    metadata: row.metadata,
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}

function tierProgress(
  { tierSince }: AccountFacts,
  { qualifyOn, qualifying, next, lapsesAt }: TierFacts,
  decimals: number,
) {
  const shown = (amount: number) => (qualifyOn === 'points' ? pointsOf(amount, decimals) : amount)
  return {
    qualify_on: qualifyOn,
    qualifying: qualifying === null ? null : shown(qualifying),
    next:
      next === null || qualifying === null
        ? null
        : {
            tier: next.name,
            threshold: shown(next.threshold),
            missing: shown(Math.max(next.threshold - qualifying, 0)),
          },
    since: tierSince?.toISOString() ?? null,
    lapses_at: lapsesAt?.toISOString() ?? null,
  }
}

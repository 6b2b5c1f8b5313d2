import { pointsOf } from './points.ts'

/** What a movement of points is to the liability. */
export const LIABILITY_PARTS = [
  'earned',
  'spent',
  'expired',
  'clawed_back',
  'adjusted',
  'merged',
] as const

export type LiabilityFacts = {
  readonly outstanding: number
  readonly earned: number
  readonly spent: number
  readonly expired: number
  readonly clawed_back: number
  readonly adjusted: number
  /** Earned and not yet credited; no part of what is outstanding. */
  readonly pending: number
  readonly decimals: number
  readonly point_value: number
  readonly currency: string
  readonly as_of: string
  readonly liability_minor: number
  readonly breakage_rate: number | null
}

/** A liability report as the API and the daily snapshot's event show it. Points come in the smallest unit. */
export function liabilityObject(facts: LiabilityFacts) {
  const points = (units: number) => pointsOf(units, facts.decimals)
  const { breakage_rate: rate, liability_minor: liabilityMinor } = facts
  return {
    outstandingPoints: points(facts.outstanding),
    pointValue: facts.point_value,
    liabilityMinor,
    currency: facts.currency,
    asOf: new Date(facts.as_of).toISOString(),
    earned: points(facts.earned),
    spent: points(facts.spent),
    expired: points(facts.expired),
    clawedBack: points(facts.clawed_back),
    adjusted: points(facts.adjusted),
    pendingPoints: points(facts.pending),
    ...(rate !== null && {
      breakage: {
        method: 'expired_share_365d' as const,
        rate,
        liabilityMinor: afterBreakage(liabilityMinor, rate),
      },
    }),
  }
}

const RATE_STEPS = 10_000 // the rate has four decimals

/** What is expected to be redeemed of a liability, in whole minor units, rounded up; exact. */
function afterBreakage(liabilityMinor: number, rate: number): number {
  const kept = BigInt(RATE_STEPS - Math.round(rate * RATE_STEPS))
  const product = BigInt(liabilityMinor) * kept
  const whole = product / BigInt(RATE_STEPS)
  return Number(product % BigInt(RATE_STEPS) > 0n ? whole + 1n : whole)
}

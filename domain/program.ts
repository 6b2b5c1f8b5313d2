import type { ExpiryMode, ExpiryStep } from './expiry.ts'
import type { Rounding } from './points.ts'

/** What tiers are reached by. */
export const TIER_QUALIFICATIONS = ['points', 'spend', 'custom'] as const
export type TierQualification = (typeof TIER_QUALIFICATIONS)[number]

/** What becomes of a payment that charged the discount of a redemption already released. */
export const LATE_PAYMENTS = ['flag', 'rehold'] as const
type LatePayment = (typeof LATE_PAYMENTS)[number]

/** Whether points that return after their date have it as it was, or some days of grace. */
export const EXPIRED_RETURNS = ['restore', 'extend'] as const
type ExpiredReturn = (typeof EXPIRED_RETURNS)[number]

type ProgramFacts = {
  readonly id: string
  readonly name: string
  readonly currencyName: string
  readonly currencyCode: string
  readonly pointValue: number
  readonly rounding: Rounding
  readonly decimals: number
  readonly expiryMode: ExpiryMode
  readonly expiryMonths: number | null
  readonly expiryFixedDate: string | null
  readonly expiryResetOnActivity: boolean
  readonly expiryWarnDaysBefore: number | null
  readonly expiryTimeZone: string
  readonly expiryRoundTo: ExpiryStep
  readonly clawbackAllowNegative: boolean
  readonly autoEnroll: boolean
  readonly holdMinutes: number | null
  readonly latePayment: LatePayment
  readonly expiredReturn: ExpiredReturn
  readonly graceDays: number
  readonly tierConfig: {
    qualifyOn: TierQualification
    period: { type: 'lifetime' } | { type: 'rolling'; months: number }
    tiers: { name: string; rank: number; threshold: number; multiplier: number }[]
  } | null
  readonly metadata: Record<string, string>
  readonly createdAt: Date
}

/** A program as the API shows it. */
export function programObject(row: ProgramFacts, livemode: boolean) {
  return {
    id: row.id,
    object: 'loyalty_program' as const,
    name: row.name,
    currency: {
      name: row.currencyName,
      code: row.currencyCode,
      pointValue: row.pointValue,
      rounding: row.rounding,
      decimals: row.decimals,
    },
    expiry: {
      mode: row.expiryMode,
      months: row.expiryMonths,
      fixedDate: row.expiryFixedDate,
      resetOnActivity: row.expiryResetOnActivity,
      warnDaysBefore: row.expiryWarnDaysBefore,
      timeZone: row.expiryTimeZone,
      roundTo: row.expiryRoundTo,
    },
    clawback: { allow_negative: row.clawbackAllowNegative },
    auto_enroll: row.autoEnroll,
    redemption: {
      holdMinutes: row.holdMinutes,
      latePayment: row.latePayment,
      expiredReturn: row.expiredReturn,
      graceDays: row.graceDays,
    },
    tierConfig: row.tierConfig,
    metadata: row.metadata,
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}

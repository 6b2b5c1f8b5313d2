export type ProgramFacts = {
  readonly id: string
  readonly name: string
  readonly currencyName: string
  readonly currencyCode: string
  readonly pointValue: number
  readonly rounding: 'down' | 'nearest' | 'up'
  readonly decimals: number
  readonly expiryMode: 'never' | 'rolling' | 'fixed'
  readonly expiryMonths: number | null
  readonly expiryFixedDate: string | null
  readonly expiryResetOnActivity: boolean
  readonly expiryWarnDaysBefore: number | null
  readonly expiryTimeZone: string
  readonly expiryRoundTo: 'day' | 'month'
  readonly clawbackAllowNegative: boolean
  readonly autoEnroll: boolean
  readonly holdMinutes: number | null
  readonly latePayment: 'flag' | 'rehold'
  readonly expiredReturn: 'restore' | 'extend'
  readonly graceDays: number
  readonly tierConfig: {
    qualifyOn: 'points' | 'spend' | 'custom'
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

import type { z } from 'zod'
import type { ProgramChange } from '../../db/programs.ts'
import { missingOfPolicy } from '../../domain/expiry-policy.ts'
import { refuse } from '../../domain/refusal.ts'
import type { ProgramUpdate } from '../schemas/programs.ts'

type Settings = Omit<z.output<typeof ProgramUpdate>, 'metadata' | 'name'>

/** The columns behind the nested settings of a body; undefined leaves one as it is. */
export function columnsOf({
  currency,
  expiry,
  clawback,
  redemption,
  auto_enroll,
  tierConfig,
}: Settings): ProgramChange {
  return {
    currencyName: currency?.name,
    currencyCode: currency?.code,
    pointValue: currency?.pointValue,
    rounding: currency?.rounding,
    decimals: currency?.decimals,
    expiryMode: expiry?.mode,
    expiryMonths: expiry?.months,
    expiryFixedDate: expiry?.fixedDate,
    expiryResetOnActivity: expiry?.resetOnActivity,
    expiryWarnDaysBefore: expiry?.warnDaysBefore,
    expiryTimeZone: expiry?.timeZone,
    expiryRoundTo: expiry?.roundTo,
    clawbackAllowNegative: clawback?.allow_negative,
    autoEnroll: auto_enroll,
    holdMinutes: redemption?.holdMinutes,
    latePayment: redemption?.latePayment,
    expiredReturn: redemption?.expiredReturn,
    graceDays: redemption?.graceDays,
    tierConfig,
  }
}

type Policy = {
  expiryMode?: 'never' | 'rolling' | 'fixed'
  expiryMonths?: number | null
  expiryFixedDate?: string | null
}

/** Refuses a policy whose mode lacks what it needs, after the change. */
export function refuseHalfAPolicy(before: Policy, change: Policy): void {
  const { expiryMode = before.expiryMode ?? 'never' } = change
  const {
    expiryMonths = before.expiryMonths ?? null,
    expiryFixedDate = before.expiryFixedDate ?? null,
  } = change
  const field = missingOfPolicy({
    mode: expiryMode,
    months: expiryMonths,
    fixedDate: expiryFixedDate,
    resetOnActivity: false,
    warnDaysBefore: null,
    timeZone: 'UTC',
    roundTo: 'day',
  })
  if (field === undefined) return
  const param = `expiry.${field}`
  refuse('parameter_missing', `${param}: the mode ${expiryMode} needs it.`, { param })
}

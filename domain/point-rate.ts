import { minorDigits } from './currency.ts'
import { decimalDigits } from './points.ts'

/** What a point is worth: `minor` / `per` minor units of `currency`, an exact fraction above zero. */
export type PointRate = {
  readonly currency: string
  /** Of the major unit, as an exact decimal: `0.01` is a cent. */
  readonly perPoint: string
  readonly minor: bigint
  readonly per: bigint
}

/** A rate from a setting such as `pointsCurrencyValue: 0.01`, in the currency's major unit. */
export function rateOfSetting(value: number | string, currency: string): PointRate {
  const { digits, scale } = decimalDigits(value)
  return {
    currency,
    perPoint: decimalText(digits, scale),
    minor: digits * 10n ** BigInt(minorDigits(currency)),
    per: 10n ** BigInt(scale),
  }
}

/** A rate from a program's `pointValue`, which is in minor units. */
export function rateOfProgram(pointValue: number, currency: string): PointRate {
  const { digits, scale } = decimalDigits(pointValue)
  return {
    currency,
    perPoint: decimalText(digits, scale + minorDigits(currency)),
    minor: digits,
    per: 10n ** BigInt(scale),
  }
}

/** The minor units that points (smallest unit) pay for, rounded down; nothing for a balance below zero. */
export function moneyFor(units: number, decimals: number, { minor, per }: PointRate): number {
  if (units <= 0) return 0
  return Number((BigInt(units) * minor) / (per * 10n ** BigInt(decimals)))
}

/** The points (smallest unit) that pay for an amount in minor units, rounded up: they always cover it. */
export function pointsFor(
  amountMinor: number,
  decimals: number,
  { minor, per }: PointRate,
): number {
  const needed = BigInt(amountMinor) * per * 10n ** BigInt(decimals)
  return Number((needed + minor - 1n) / minor)
}

function decimalText(digits: bigint, scale: number): string {
  const padded = digits.toString().padStart(scale + 1, '0')
  const whole = padded.slice(0, padded.length - scale)
  const fraction = padded.slice(padded.length - scale).replace(/0+$/, '')
  return fraction === '' ? whole : `${whole}.${fraction}`
}

import { minorDigits } from './currency.ts'

export const ROUNDINGS = ['down', 'nearest', 'up'] as const
export type Rounding = (typeof ROUNDINGS)[number]

/** The largest movement, in the program's smallest unit. */
export const MAX_MOVEMENT = 1_000_000_000_000

/** Units of the smallest kind as the API prints points: 1250 with two decimals is 12.5. */
export function pointsOf(units: number, decimals: number): number {
  return units / 10 ** decimals // the nearest double to an exact decimal prints as that decimal
}

type Units = { units: number; exact: boolean }

/**
 * Points as sent (a JSON number) in the smallest unit, rounded by the program's
 * mode: away from and towards zero alike for both signs. Exact: worked out on the
 * number's decimal digits, never on its binary fraction.
 */
export function unitsOf(points: number, decimals: number, rounding: Rounding): Units {
  const sign = points < 0 ? -1 : 1
  const { digits, scale } = decimalDigits(Math.abs(points))
  if (scale <= decimals)
    return { units: sign * Number(digits * 10n ** BigInt(decimals - scale)) || 0, exact: true }
  const divisor = 10n ** BigInt(scale - decimals)
  const whole = digits / divisor
  const rest = digits % divisor
  return { units: sign * Number(whole + roundUp(rest, divisor, rounding)) || 0, exact: rest === 0n }
}

function roundUp(rest: bigint, divisor: bigint, rounding: Rounding): bigint {
  if (rest === 0n || rounding === 'down') return 0n
  return rounding === 'up' || rest * 2n >= divisor ? 1n : 0n
}

/** 12.5 -> 125 at scale 1; 1e21 and 1.5e-7 too, by JavaScript's shortest decimal form of the number. */
function decimalDigits(value: number | string): { digits: bigint; scale: number } {
  const [mantissa = '0', exponent = '0'] = String(value).split('e')
  const [whole = '0', fraction = ''] = mantissa.split('.')
  const scale = fraction.length - Number(exponent)
  const digits = BigInt(whole + fraction)
  return scale < 0 ? { digits: digits * 10n ** BigInt(-scale), scale: 0 } : { digits, scale }
}

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

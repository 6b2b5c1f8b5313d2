/** Numbers are exact. What a path does not find is null; an object can only be compared with null. */
export type Value = Rational | string | boolean | null | readonly Value[] | Opaque
type Opaque = { readonly opaque: true }

export const isRational = (value: Value): value is Rational =>
  typeof value === 'object' && value !== null && 'n' in value

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value)

const LONGEST_SHOWN = 60
const HALF_A_PAIR = /[\uD800-\uDBFF]$/ // what a cut leaves of a character cannot be stored

/** A value as an explanation shows it. */
export function shown(value: Value): string {
  const text = isRational(value)
    ? textOf(value)
    : isList(value)
      ? shownList(value)
      : typeof value === 'object' && value !== null
        ? 'an object'
        : JSON.stringify(value)
  if (text.length <= LONGEST_SHOWN) return text
  return `${text.slice(0, LONGEST_SHOWN).replace(HALF_A_PAIR, '')}…`
}

function shownList(items: readonly Value[]): string {
  let text = '['
  for (const [index, item] of items.entries()) {
    text += `${index === 0 ? '' : ', '}${shown(item)}`
    if (text.length > LONGEST_SHOWN) return text // the rest is cut off
  }
  return `${text}]`
}

/**
 * An exact number: numerator / denominator in lowest terms, the denominator above zero. Nothing is
 * ever rounded but by floor, ceil, round, and where points are moved.
 */
export type Rational = { readonly n: bigint; readonly d: bigint }

// Far above any amount of points; keeps a chain of multiplications from eating the processor.
const MOST_BITS = 512
const TOO_LARGE = 1n << BigInt(MOST_BITS)

/** Null where the number is too large to go on with. */
export function rational(n: bigint, d = 1n): Rational | null {
  const divisor = gcd(abs(n), abs(d)) * (d < 0n ? -1n : 1n)
  const result = { n: n / divisor, d: d / divisor }
  return abs(result.n) >= TOO_LARGE || result.d >= TOO_LARGE ? null : result
}

/** A JSON number as its shortest decimal form reads: 0.1 is one tenth. Null where it is too large. */
export function rationalOf(value: number): Rational | null {
  if (Number.isSafeInteger(value)) return { n: BigInt(value), d: 1n }
  return decimal(String(value))
}

const SMALL = 1n << 64n // a machine's word: reckoning with more takes ever longer

export const isSmall = ({ n, d }: Rational): boolean => n < SMALL && n > -SMALL && d < SMALL

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/
const MOST_EXPONENT = 200

/** What the text of a decimal number says, exactly. */
export function decimal(text: string): Rational | null {
  const [, sign, whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? []
  const scale = fraction.length - Number(exponent)
  if (sign === undefined || Math.abs(scale) > MOST_EXPONENT) return null
  const digits = BigInt(`${sign}${whole}${fraction}`)
  return scale > 0
    ? rational(digits, 10n ** BigInt(scale))
    : rational(digits * 10n ** BigInt(-scale))
}

export const add = (a: Rational, b: Rational) => rational(a.n * b.d + b.n * a.d, a.d * b.d)
export const subtract = (a: Rational, b: Rational) => rational(a.n * b.d - b.n * a.d, a.d * b.d)
export const multiply = (a: Rational, b: Rational) => rational(a.n * b.n, a.d * b.d)
/** The divisor is not zero. */
export const divide = (a: Rational, b: Rational) => rational(a.n * b.d, a.d * b.n)

/** Below zero, zero or above: as a is less than, equal to or more than b. */
export function compare(a: Rational, b: Rational): number {
  const difference = a.n * b.d - b.n * a.d
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

export function floor({ n, d }: Rational): bigint {
  const whole = n / d
  return n < 0n && n % d !== 0n ? whole - 1n : whole
}

export const ceil = ({ n, d }: Rational): bigint => -floor({ n: -n, d })

/** To the nearest whole number, a half away from zero: 2.5 is 3, -2.5 is -3. */
export function round({ n, d }: Rational): bigint {
  const size = (2n * abs(n) + d) / (2n * d)
  return n < 0n ? -size : size
}

/** As a person writes it: 2.5, or 1/3 where no decimal says it. */
export function textOf({ n, d }: Rational): string {
  if (d === 1n) return String(n)
  let scale = 0
  let factor = 1n
  while (factor % d !== 0n && scale < MOST_SHOWN) {
    factor *= 10n
    scale++
  }
  if (factor % d !== 0n) return `${n}/${d}`
  const digits = String((abs(n) * factor) / d).padStart(scale + 1, '0')
  return `${n < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

const MOST_SHOWN = 20

const abs = (value: bigint) => (value < 0n ? -value : value)

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b]
  while (y !== 0n) [x, y] = [y, x % y]
  return x
}

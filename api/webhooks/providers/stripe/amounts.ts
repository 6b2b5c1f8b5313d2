import { stripeDigitsBeyondIso } from '../../../../domain/currency.ts'

// `amount`, `amount_refunded`, `unit_amount`, `subtotal`, `total_tax` and their like.
const MONEY = /^(?:amount|unit_amount|subtotal|total|tax)(?:_|$)/

type Data = {
  readonly object: Readonly<Record<string, unknown>>
  readonly previous_attributes?: Readonly<Record<string, unknown>> | null | undefined
}

/**
 * An event's data with its amounts in ISO 4217's minor units. Stripe counts a few currencies
 * otherwise; in all others the data is answered as it is. What Stripe rounds to whole units
 * anyway is rounded to them here.
 */
export function inIsoMinorUnits<D extends Data>(data: D): D {
  const { currency } = data.object
  const beyond = typeof currency === 'string' ? stripeDigitsBeyondIso(currency) : 0
  return beyond === 0 ? data : (converted(data, beyond) as D) // the same shape: only numbers change
}

function converted(value: unknown, beyond: number): unknown {
  if (Array.isArray(value)) return value.map((one) => converted(one, beyond))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      MONEY.test(name) ? amountIn(inner, beyond) : converted(inner, beyond),
    ]),
  )
}

/** Metadata holds numbers as text: `amount_before_discounts` is one. */
function amountIn(value: unknown, beyond: number): unknown {
  if (typeof value === 'number') return Math.round(value / 10 ** beyond)
  if (typeof value === 'string' && /^\d{1,12}$/.test(value))
    return String(amountIn(Number(value), beyond))
  return converted(value, beyond)
}

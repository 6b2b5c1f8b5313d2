import { z } from 'zod'
import { stripeDigitsBeyondIso } from '../../../../domain/currency.ts'
import { amountMinor } from '../../../schemas/amounts.ts'
import { text } from '../../../schemas/text.ts'
import { parse } from '../../../server/endpoint.ts'

export const LONGEST_ID = 255

export const StripeEvent = z.looseObject({
  id: text(LONGEST_ID),
  type: text(100),
  api_version: z.string().nullish(),
  created: z.number().int(),
  data: z.looseObject({
    object: z.looseObject({}),
    previous_attributes: z
      .looseObject({ amount_refunded: amountMinor.optional(), status: z.unknown().optional() })
      .nullish(),
  }),
})

export type Event = z.infer<typeof StripeEvent>

/** An object, or its id where Stripe did not expand it. */
export const reference = z
  .union([z.string(), z.looseObject({ id: z.string() })])
  .nullish()
  .transform((value) => (typeof value === 'string' ? value : (value?.id ?? null)))

/** The event's object; refuses what it cannot be, by the parameter's name. */
export function objectOf<S extends z.ZodType>(schema: S, event: Event) {
  return parse(z.looseObject({ data: z.looseObject({ object: schema }) }), event).data
    .object as z.output<S> // the parsed edge: this is the schema's output
}

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

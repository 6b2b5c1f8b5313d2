import { z } from 'zod'
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

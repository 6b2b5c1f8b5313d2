import { z } from 'zod'
import { REWARD_TYPES } from '../../domain/reward.ts'
import { points } from './amounts.ts'
import { id } from './ids.ts'
import { quantity, variant } from './redemptions.ts'

/** Why something may not be redeemed: an error's code, its sentence and its fields. */
export const Reason = z
  .looseObject({ code: z.string(), message: z.string() })
  .meta({ id: 'Reason', description: "An error's code, its sentence and its fields." })

/** What a redemption would do now; nothing is written. */
export const Quote = z
  .object({
    object: z.literal('quote'),
    account: id('loy'),
    reward: id('rwd'),
    reward_type: z.enum(REWARD_TYPES),
    variant: z.string().optional(),
    quantity: z.number().int(),
    affordable: z.boolean().meta({ description: 'Whether a create would succeed now.' }),
    points: points.meta({ description: 'What it would cost.' }),
    available: points.meta({ description: 'What can be spent, never negative.' }),
    missing: points.meta({ description: 'What is missing; 0 where it suffices.' }),
    reasons: z
      .array(Reason)
      .meta({ description: 'Everything against it, the first being what a create would answer.' }),
    discount: z
      .object({
        amount: z.number().int().optional(),
        percent: z.number().optional(),
        maxAmount: z.number().int().optional(),
        currency: z.string().optional(),
      })
      .optional()
      .meta({ description: 'What it would take off a payment.' }),
    credit: z.object({ amount: z.number().int(), currency: z.string() }).optional(),
    hold_minutes: z
      .number()
      .nullable()
      .meta({ description: 'How long a discount would be held for its payment.' }),
    livemode: z.boolean(),
  })
  .meta({ id: 'Quote', description: 'What a redemption would do now; nothing is written.' })

/** What a publishable key is told. */
export const ShopQuote = Quote.omit({ available: true, missing: true }).meta({
  id: 'ShopQuote',
  description: "A quote for a publishable key: without a number of anybody's points.",
})

/** What would be spent. */
export const QuoteRequest = z
  .strictObject({ account: id('loy'), reward: id('rwd'), variant, quantity })
  .meta({ id: 'QuoteRequest' })

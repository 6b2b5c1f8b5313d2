import { z } from 'zod'
import { id } from '../values/id.ts'
import { points } from '../values/points.ts'
import { time } from '../values/time.ts'
import { ACCOUNT_STATUSES } from './account.ts'

const money = z.number().int().meta({ description: 'Minor units.' })

/** What a point is worth at the till. */
export const PointValue = z
  .object({
    pointsCurrencyValue: z
      .string()
      .meta({ description: 'Of one point, in the major unit, exact.', example: '0.01' }),
    currency: z.string().meta({ example: 'EUR' }),
  })
  .meta({ id: 'PointValue' })

/** What a till reads before the member decides. */
export const Wallet = z
  .object({
    object: z.literal('wallet'),
    user: id('loy'),
    status: z.enum(ACCOUNT_STATUSES),
    points: points.meta({ description: 'What can be spent now; below zero is a deficit.' }),
    pending: points.meta({ description: 'Earned, and not yet due to be credited.' }),
    currency: z
      .object({ name: z.string(), code: z.string(), decimals: z.number().int() })
      .meta({ description: "The points' name and decimals, and the money they are valued in." }),
    value: PointValue.extend({
      amount: money.meta({ description: 'Of all points, rounded down; 0 below zero.' }),
    }),
    tier: z.string().nullable(),
    expiring: z
      .array(z.object({ points, expires_at: time }))
      .meta({ description: 'Soonest first.' }),
    credits: z
      .array(z.object({ amount: money, currency: z.string() }))
      .meta({ description: 'Store credit, by currency.' }),
    livemode: z.boolean(),
  })
  .meta({ id: 'Wallet' })

/** Points as money, or money as points. */
export const Conversion = z
  .object({
    object: z.literal('conversion'),
    user: id('loy'),
    points,
    amount: money,
    value: PointValue,
    rounding: z
      .enum(['down', 'up'])
      .meta({ description: 'Money from points is rounded down, points for money up.' }),
    affordable: z.boolean().meta({ description: 'Whether the member has so many points now.' }),
  })
  .meta({ id: 'Conversion' })

import { z } from 'zod'
import { time } from './times.ts'

/** What a program owes, as reports and the daily event show it. */
export const Liability = z
  .object({
    outstandingPoints: z
      .number()
      .meta({ description: 'The sum of all balances, negative and closed ones too.' }),
    pointValue: z.number(),
    liabilityMinor: z
      .number()
      .int()
      .meta({ description: 'outstandingPoints x pointValue, rounded up.' }),
    currency: z.string(),
    asOf: time,
    earned: z.number(),
    spent: z.number(),
    expired: z.number(),
    clawedBack: z.number(),
    adjusted: z.number(),
    pendingPoints: z.number(),
    breakage: z
      .object({
        method: z.literal('expired_share_365d'),
        rate: z.number(),
        liabilityMinor: z.number().int(),
      })
      .optional()
      .meta({
        description:
          'An estimate: the share of points that expired, of all that expired or were spent in the 365 whole UTC days before, applied to the liability. Absent where none did.',
      }),
  })
  .meta({
    id: 'Liability',
    description: 'outstandingPoints = earned - spent - expired - clawedBack + adjusted, exactly.',
  })

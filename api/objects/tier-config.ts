import { z } from 'zod'
import { text } from '../values/text.ts'

const LONGEST_NAME = 40
const MOST_TIERS = 20
const LONGEST_PERIOD_MONTHS = 120
const LONGEST_GRACE_DAYS = 366

const Tier = z.strictObject({
  name: text(LONGEST_NAME),
  rank: z.number().int().min(0).max(1_000),
  threshold: z.number().min(0).max(1_000_000_000_000),
  multiplier: z.number().gt(0).max(100).default(1),
})

const period = z.union([
  z.strictObject({ type: z.literal('lifetime') }),
  z.strictObject({
    type: z.literal('rolling'),
    months: z.number().int().min(1).max(LONGEST_PERIOD_MONTHS),
  }),
])

/** Whether no tier is easier to reach than one below it. Set by hand, their thresholds say nothing. */
function thresholdsRise(tiers: z.infer<typeof Tier>[]): boolean {
  const byRank = tiers.toSorted((a, b) => a.rank - b.rank)
  return byRank.every(({ threshold }, index) => threshold >= (byRank[index - 1]?.threshold ?? 0))
}

/** The tiers of a program; replaced as a whole. */
export const TierConfig = z
  .strictObject({
    qualifyOn: z.enum(['points', 'spend', 'custom']).default('points'),
    period: period.default({ type: 'lifetime' }),
    graceDays: z.number().int().min(0).max(LONGEST_GRACE_DAYS).optional().meta({
      description:
        'How many days longer a thing counts for keeping a tier than for reaching it; 30 by default.',
    }),
    tiers: z
      .array(Tier)
      .max(MOST_TIERS)
      .refine((tiers) => new Set(tiers.map(({ name }) => name)).size === tiers.length, {
        error: 'two tiers have the same name',
      })
      .refine((tiers) => new Set(tiers.map(({ rank }) => rank)).size === tiers.length, {
        error: 'two tiers have the same rank',
      }),
  })
  .refine(({ qualifyOn, tiers }) => qualifyOn === 'custom' || thresholdsRise(tiers), {
    path: ['tiers'],
    error: 'a tier needs less than one of a lower rank',
  })
  .meta({ id: 'TierConfig' })

import { z } from 'zod'
import { EXPIRY_MODES, EXPIRY_STEPS, isDateOfYear, isTimeZoneName } from '../../domain/expiry.ts'
import { ROUNDINGS } from '../../domain/points.ts'
import { EXPIRED_RETURNS, LATE_PAYMENTS, TIER_QUALIFICATIONS } from '../../domain/program.ts'
import { SHORTEST_HOLD_MINUTES } from '../../domain/reward.ts'
import { currencyUpper } from './amounts.ts'
import { id } from './ids.ts'
import { metadata, metadataUpdate, text } from './text.ts'
import { time } from './times.ts'

const LONGEST_TIER_NAME = 40
const MOST_TIERS = 20
const LONGEST_PERIOD_MONTHS = 120
const LONGEST_GRACE_DAYS = 366

const Tier = z.strictObject({
  name: text(LONGEST_TIER_NAME),
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
const TierConfig = z
  .strictObject({
    qualifyOn: z.enum(TIER_QUALIFICATIONS).default('points'),
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

const LONGEST_NAME = 100
const MOST_MONTHS = 1_200 // a century: beyond it is `never`
const MOST_WARN_DAYS = 365
const MOST_GRACE_DAYS = 3_650
const FIXED_DATE =
  'MM-DD: points expire at the end of this day in `timeZone`. 02-29 is the month’s last day where the year has none.'
const MOST_HOLD_MINUTES = 525_600
const MOST_VALUE = 1_000_000 // minor units a point
const VALUE_STEPS = 1_000_000 // a point is worth at least a millionth of a minor unit, in such steps

const pointValue = z
  .number()
  .gt(0)
  .max(MOST_VALUE)
  .refine((value) => Number(value.toFixed(6)) === value && value * VALUE_STEPS >= 1, {
    error: 'expected at most 6 decimals',
  })
  .meta({
    description: 'What a point redeems for, in minor units of `code`; not what it costs to earn.',
  })

const currency = {
  name: text(LONGEST_NAME),
  code: currencyUpper,
  pointValue,
  rounding: z.enum(ROUNDINGS),
  decimals: z.number().int().min(0).max(4),
} as const

const expiry = {
  mode: z.enum(EXPIRY_MODES),
  months: z.number().int().min(1).max(MOST_MONTHS).nullable(),
  fixedDate: z
    .string()
    .refine(isDateOfYear, 'expected a date as MM-DD')
    .nullable()
    .meta({ description: FIXED_DATE }),
  resetOnActivity: z.boolean(),
  warnDaysBefore: z.number().int().min(1).max(MOST_WARN_DAYS).nullable(),
  timeZone: z
    .string()
    .max(64)
    .refine(isTimeZoneName, 'expected the name of a time zone, as Europe/Berlin'),
  roundTo: z.enum(EXPIRY_STEPS),
} as const

const clawback = { allow_negative: z.boolean() } as const

const redemption = {
  holdMinutes: z.number().min(SHORTEST_HOLD_MINUTES).max(MOST_HOLD_MINUTES).nullable(),
  latePayment: z.enum(LATE_PAYMENTS),
  expiredReturn: z.enum(EXPIRED_RETURNS),
  graceDays: z.number().int().min(0).max(MOST_GRACE_DAYS),
} as const

/** A program: its currency, and what happens to its points. */
export const Program = z
  .object({
    id: id('prog'),
    object: z.literal('loyalty_program'),
    name: z.string(),
    currency: z.object(currency),
    expiry: z.object({ ...expiry, timeZone: z.string() }),
    clawback: z.object(clawback),
    auto_enroll: z.boolean(),
    redemption: z.object(redemption),
    tierConfig: z.union([TierConfig, z.null()]),
    metadata,
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({ id: 'Program', description: 'A loyalty currency and its rules.' })

const settings = {
  currency: z.strictObject(currency).partial().optional(),
  expiry: z.strictObject(expiry).partial().optional(),
  clawback: z.strictObject(clawback).partial().optional(),
  auto_enroll: z.boolean().optional(),
  redemption: z.strictObject(redemption).partial().optional(),
  tierConfig: z.union([TierConfig, z.null()]).optional(),
} as const

/** What makes a program; what is not named is as for `prog_default`. */
export const NewProgram = z
  .strictObject({ name: text(LONGEST_NAME), ...settings, metadata: metadata.default({}) })
  .meta({ id: 'NewProgram' })

/** What may change of a program, from now on; fields not named stay, also inside nested objects. */
export const ProgramUpdate = z
  .strictObject({
    name: text(LONGEST_NAME).optional(),
    ...settings,
    metadata: metadataUpdate.optional(),
  })
  .meta({ id: 'ProgramUpdate' })

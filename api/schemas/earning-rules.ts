import { z } from 'zod'
import { CAP_WINDOWS, EARNING_TRIGGERS } from '../../domain/earning-rule.ts'
import { amountMinor, currencyLower, positiveAmountMinor, positivePoints } from './amounts.ts'
import { id } from './ids.ts'
import { metadata, metadataUpdate, text } from './text.ts'
import { bodyTimeOrNull, time } from './times.ts'

const LONGEST_NAME = 200
const LARGEST_MULTIPLIER = 1_000
const LONGEST_PENDING_DAYS = 3_650
const MOST_CURRENCIES = 50
const LARGEST_AWARD = 1_000_000_000 // points; a rule that gives more is a typing error

const awardPoints = positivePoints.max(LARGEST_AWARD)
const rate = { points: awardPoints, amount: positiveAmountMinor }
const perAmount = z.strictObject({ ...rate, currency: currencyLower })

const perCurrency = z
  .union([
    z.record(currencyLower, z.strictObject(rate)),
    z
      .array(perAmount)
      .min(1)
      .transform((rates) =>
        Object.fromEntries(rates.map(({ currency, ...one }) => [currency, one])),
      ),
  ])
  .refine(
    (rates) => Object.keys(rates).length >= 1 && Object.keys(rates).length <= MOST_CURRENCIES,
    `expected 1 to ${MOST_CURRENCIES} currencies`,
  )

/** Exactly one of the three ways to say how many points. */
const award = z
  .union([
    z.strictObject({ per_amount: perAmount }),
    z.strictObject({ fixed: awardPoints }),
    z.strictObject({ per_currency: perCurrency }),
  ])
  .meta({
    description:
      '`per_amount`: `points` for every `amount` minor units charged, in proportion, rounded once by the program; `per_currency`: the same by currency; `fixed`: so many at once.',
  })

const shownRate = z.object({ points: positivePoints, amount: z.number().int() })
export const shownAward = z.union([
  z.object({ per_amount: shownRate.extend({ currency: z.string() }) }),
  z.object({ fixed: positivePoints }),
  z.object({ per_currency: z.record(z.string(), shownRate) }),
])

const cap = z.strictObject({
  points: positivePoints,
  window: z.enum(CAP_WINDOWS).default('day'),
})

const MOST_CONDITIONS = 10

const conditions = z
  .strictObject({
    min_amount: amountMinor.optional(),
    minAmount: amountMinor.optional(),
    currency: currencyLower.optional(),
    metadata: metadata
      .refine((value) => Object.keys(value).length <= MOST_CONDITIONS, 'has more than 10 keys')
      .optional(),
  })
  .transform(({ minAmount, min_amount = minAmount, ...same }) => ({
    ...same,
    ...(min_amount !== undefined && { min_amount }),
  }))

export const shownConditions = z.object({
  min_amount: z.number().int().optional(),
  currency: z.string().optional(),
  metadata: metadata.optional(),
})

/** What earns points in a program, and how many. */
export const EarningRule = z
  .object({
    id: id('erl'),
    object: z.literal('earning_rule'),
    program: id('prog'),
    name: z.string().nullable(),
    trigger: z.enum(EARNING_TRIGGERS),
    award: shownAward,
    multiplier: z.number(),
    cap: z.union([z.object({ points: positivePoints, window: z.string() }), z.null()]),
    conditions: shownConditions,
    pendingDays: z.number(),
    starts_at: time.nullable(),
    ends_at: time.nullable(),
    active: z.boolean(),
    metadata,
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({ id: 'EarningRule', description: 'What earns points in a program, and how many.' })

const settings = {
  name: text(LONGEST_NAME).nullable(),
  award,
  multiplier: z
    .number()
    .gt(0)
    .max(LARGEST_MULTIPLIER)
    .meta({ description: "Multiplied with the member's tier's." }),
  cap: cap
    .nullable()
    .meta({ description: "For each member; windows are of the program's time zone." }),
  conditions,
  pendingDays: z
    .number()
    .min(0)
    .max(LONGEST_PENDING_DAYS)
    .meta({ description: 'Days until the points become spendable; fractions allowed.' }),
  starts_at: bodyTimeOrNull,
  ends_at: bodyTimeOrNull,
  active: z.boolean(),
} as const

/** What adds a rule. */
export const NewEarningRule = z
  .strictObject({
    program: id('prog').default('prog_default'),
    trigger: z.enum(EARNING_TRIGGERS).default('payment.completed'),
    name: settings.name.default(null),
    award: settings.award,
    multiplier: settings.multiplier.default(1),
    cap: settings.cap.default(null),
    conditions: settings.conditions.default({}),
    pendingDays: settings.pendingDays.default(0),
    starts_at: settings.starts_at.default(null),
    ends_at: settings.ends_at.default(null),
    active: settings.active.default(true),
    metadata: metadata.default({}),
  })
  .refine(({ starts_at, ends_at }) => !starts_at || !ends_at || starts_at < ends_at, {
    error: 'must be after starts_at',
    path: ['ends_at'],
  })
  .refine(({ trigger, award: given }) => 'fixed' in given || !WITHOUT_AMOUNT.includes(trigger), {
    error: 'nothing is charged by this trigger: only a fixed award fits',
    path: ['award'],
  })
  .meta({ id: 'NewEarningRule' })

const WITHOUT_AMOUNT: readonly string[] = ['loyalty.account.created']

/** What may change about a rule; its program and trigger may not. */
export const EarningRuleUpdate = z
  .strictObject({
    name: settings.name.optional(),
    award: settings.award.optional(),
    multiplier: settings.multiplier.optional(),
    cap: settings.cap.optional(),
    conditions: settings.conditions.optional(),
    pendingDays: settings.pendingDays.optional(),
    starts_at: settings.starts_at.optional(),
    ends_at: settings.ends_at.optional(),
    active: settings.active.optional(),
    metadata: metadataUpdate.optional(),
  })
  .meta({ id: 'EarningRuleUpdate' })

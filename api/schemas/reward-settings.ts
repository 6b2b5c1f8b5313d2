import { z } from 'zod'
import { CODE_LENGTH } from '../../domain/gift-card.ts'
import { LIMIT_WINDOWS, type RewardType } from '../../domain/reward.ts'
import { currencyUpper, positiveAmountMinor, positivePoints } from './amounts.ts'
import { id } from './ids.ts'
import { text } from './text.ts'

const LONGEST_NAME = 200
const MOST_ITEMS = 1_000

// Two decimals are as fine as a discount is ever printed.
const percent = z.number().gt(0).max(100).multipleOf(0.01).meta({ example: 10 })

const Percent = z.strictObject({
  percent,
  maxAmount: positiveAmountMinor.optional(),
  currency: currencyUpper.optional(),
})
const Amount = z.strictObject({ amount: positiveAmountMinor, currency: currencyUpper })
const LONGEST_VALIDITY_DAYS = 3_650 // ten years: beyond it the credit is better not dated at all
const expiresDays = z
  .number()
  .int()
  .min(1)
  .max(LONGEST_VALIDITY_DAYS)
  .meta({ description: 'Of store credit: how many days after its issue it expires.' })

const Credit = Amount.extend({ expiresDays: expiresDays.optional() })
const Product = z.strictObject({
  product: text(LONGEST_NAME),
  quantity: z.number().int().min(1).max(MOST_ITEMS).default(1),
})
const Partner = z.strictObject({ partner: text(LONGEST_NAME), sku: text(LONGEST_NAME) })

/** What each type of reward gives. */
export const VALUE_OF = {
  discount_percent: Percent,
  discount_amount: Amount,
  free_product: Product,
  store_credit: Credit,
  gift_card: Amount,
  partner: Partner,
} as const satisfies Readonly<Record<RewardType, z.ZodType>>

/** A reward's value; which form it must have follows from its type. */
export const RewardValue = z.union([Percent, Credit, Product, Partner]).meta({
  description:
    'percent for discount_percent, amount for discount_amount, store_credit and gift_card.',
})

/** Some fields of a value; the others stay. Null takes `maxAmount` or `currency` of a percentage, or `expiresDays`, away. */
export const RewardValueChange = z
  .strictObject({
    percent,
    maxAmount: positiveAmountMinor.nullable(),
    amount: positiveAmountMinor,
    currency: currencyUpper.nullable(),
    expiresDays: expiresDays.nullable(),
    product: text(LONGEST_NAME),
    quantity: z.number().int().min(1).max(MOST_ITEMS),
    partner: text(LONGEST_NAME),
    sku: text(LONGEST_NAME),
  })
  .partial()
  .meta({ description: 'Only the fields named change.' })

/** Whether a value has the form that its type asks for. */
export function fitsType(type: RewardType, value: unknown): boolean {
  return VALUE_OF[type].safeParse(value).success
}

const LONGEST_TIER = 200
const MOST_STOCK = 1_000_000_000
const MOST_VARIANTS = 100
const MOST_ATTRIBUTES = 10
const LONGEST_VARIANT = 60
const MOST_CATEGORIES = 20
const LONGEST_CATEGORY = 60
const MOST_IMAGES = 10
const LONGEST_URL = 2_000

export const stock = z.number().int().min(0).max(MOST_STOCK)

const count = z.number().int().min(1).max(MOST_STOCK)
const windowed = z.strictObject({ quantity: count, window: z.enum(LIMIT_WINDOWS) })

/** How many one member may redeem: for life, or in each day, week or month of the program's time zone. */
export const perMemberLimit = z.union([count, windowed]).meta({
  description:
    'How many one member may redeem. A number counts for life; with a window, in each day, week (from Monday) or month of the program’s time zone.',
})

/** A limit in the two columns that hold it; undefined leaves them as they are. */
export function limitColumns(limit: z.output<typeof perMemberLimit> | null | undefined) {
  if (limit === undefined) return {}
  if (limit === null || typeof limit === 'number') {
    return { perMemberLimit: limit, limitWindow: 'lifetime' as const }
  }
  return { perMemberLimit: limit.quantity, limitWindow: limit.window }
}

/** What members of a tier pay instead of `cost`. */
export const tierCosts = z
  .record(text(LONGEST_TIER), positivePoints)
  .meta({ description: 'What members of a tier pay instead of `cost`, by the tier’s name.' })

const variantId = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,60}$/, `expected 1 to ${LONGEST_VARIANT} letters, digits, dots, dashes`)
  .meta({ example: 'm-red' })
const attributes = z
  .record(text(40), text(100))
  .refine((map) => Object.keys(map).length <= MOST_ATTRIBUTES, `at most ${MOST_ATTRIBUTES}`)
  .meta({ example: { size: 'M', colour: 'red' } })

const variantSettings = {
  attributes: attributes.optional(),
  inventory: stock.nullable().optional(),
  cost: positivePoints.nullable().optional(),
  active: z.boolean().optional(),
}

/** A size or colour to add, or to change by its id: fields not named stay. One is taken away by `active: false`. */
export const variantChanges = z
  .array(z.strictObject({ id: variantId, ...variantSettings }))
  .max(MOST_VARIANTS)
  .refine((all) => new Set(all.map((one) => one.id)).size === all.length, 'names an id twice')
  .meta({
    description:
      'Sizes or colours, each with its own stock and, where named, its own cost; of a known id the fields not named stay.',
  })

const prefix = z.string().regex(/^[A-Z0-9]{1,12}$/, 'expected 1 to 12 capital letters and digits')
const generated = z.strictObject({
  prefix: prefix.optional(),
  length: z.number().int().min(CODE_LENGTH.least).max(CODE_LENGTH.most).default(CODE_LENGTH.usual),
})

/** Where a gift card's codes come from. */
export const codeSource = z
  .union([
    z.strictObject({ pool: id('cpl') }),
    z.strictObject({ generated }),
    z.literal('generated').transform(() => ({ generated: { length: CODE_LENGTH.usual } })),
  ])
  .meta({
    description:
      'Of a gift card: `{pool}` takes codes uploaded in advance; `{generated: {prefix, length}}` makes them, the last character a check. Without either it waits for its fulfilment.',
  })

/** As it is read back. */
export const CodeSourceShown = z.union([
  z.object({ pool: z.string() }),
  z.object({ generated: z.object({ prefix: z.string().optional(), length: z.number().int() }) }),
])

export const categories = z
  .array(text(LONGEST_CATEGORY))
  .max(MOST_CATEGORIES)
  .transform((names) => [...new Set(names)])

export const images = z
  .array(z.url({ protocol: /^https$/ }).max(LONGEST_URL))
  .max(MOST_IMAGES)
  .meta({ description: 'https addresses; the first one is the main one.' })

import { z } from 'zod'
import type { RewardType } from '../../domain/reward.ts'
import { currencyUpper, positiveAmountMinor } from '../values/money.ts'
import { text } from '../values/text.ts'

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

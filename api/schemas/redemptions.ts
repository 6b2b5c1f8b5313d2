import { z } from 'zod'
import type { RedemptionRow } from '../../db/redemptions.ts'
import {
  FULFILLMENT_STATUSES,
  LATE_OUTCOMES,
  OVERDUE_POLICIES,
  REDEMPTION_STATUSES,
  redemptionObject,
} from '../../domain/redemption.ts'
import type { Deps } from '../server/deps.ts'
import { points, positivePoints } from './amounts.ts'
import { GiftCard } from './code-pools.ts'
import { id } from './ids.ts'
import { metadata, text } from './text.ts'
import { time } from './times.ts'

const LONGEST_LINE = 200
const MOST_AT_ONCE = 1_000
const LONGEST_VARIANT = 60 // as a reward's own

const Shipping = z
  .strictObject({
    name: text(LONGEST_LINE),
    line1: text(LONGEST_LINE),
    line2: text(LONGEST_LINE).optional(),
    city: text(LONGEST_LINE),
    state: text(LONGEST_LINE).optional(),
    postalCode: text(20),
    country: z
      .string()
      .regex(/^[A-Z]{2}$/, 'expected a two-letter ISO 3166 code')
      .meta({ example: 'NO' }),
    phone: text(40).optional(),
  })
  .meta({ id: 'Shipping' })

const Discount = z
  .object({
    amount: z.number().int().optional(),
    percent: z.number().optional(),
    maxAmount: z.number().int().optional(),
    currency: z.string().optional(),
    code: z.string(),
  })
  .meta({ id: 'Discount', description: 'Either an amount in minor units or a percentage.' })

const Shipment = z
  .object({
    quantity: z.number().int(),
    tracking: z.string().nullable(),
    carrier: z.string().nullable(),
    at: time,
  })
  .meta({ id: 'Shipment', description: 'One parcel.' })

const Fulfillment = z
  .object({
    status: z.enum(FULFILLMENT_STATUSES),
    product: z.string().optional(),
    partner: z.string().optional(),
    sku: z.string().optional(),
    amount: z.number().int().optional(),
    currency: z.string().optional(),
    quantity: z.number().int().meta({ description: 'Items in all.' }),
    shipped: z.number().int(),
    canceled: z.number().int().meta({ description: 'Items that need not be shipped any more.' }),
    shipping: z.union([Shipping, z.null()]),
    tracking: z.string().nullable().meta({ description: 'Of the latest parcel, as is carrier.' }),
    carrier: z.string().nullable(),
    shipments: z.array(Shipment),
    deadline: time.nullable(),
    onOverdue: z.enum(OVERDUE_POLICIES).meta({ description: 'What the deadline does.' }),
    overdue_notices: z.number().int(),
  })
  .meta({ id: 'Fulfillment' })

const Credit = z
  .object({
    id: id('crd'),
    amount: z.number().int(),
    currency: z.string(),
    expires_at: time.optional(),
  })
  .meta({ id: 'Credit', description: 'Store credit, in minor units.' })

const LatePayment = z
  .object({ payment: z.string(), outcome: z.enum(LATE_OUTCOMES), at: time })
  .meta({ id: 'LatePayment', description: 'A payment charged the discount after the release.' })

const PaymentUnaffected = z
  .object({
    payment: z.string(),
    currency: z.string(),
    discounted: z.number().int().meta({
      description: 'What the points returned so far had taken off the payment. Minor units.',
    }),
    refund_offer: z
      .union([z.object({ payment: z.string(), amount: z.number().int() }), z.null()])
      .meta({ description: 'The body of `POST /v1/refunds` that gives it to the payer.' }),
    refunds: z.array(z.string()).meta({ description: 'Made by `refund_payment`.' }),
  })
  .meta({
    id: 'PaymentUnaffected',
    description: 'The payment that used a discount reversed since: it keeps its charge.',
  })

/** One spend of points on one reward, and what it gave. */
export const Redemption = z
  .object({
    id: id('rdm'),
    object: z.literal('redemption'),
    account: id('loy'),
    reward: id('rwd'),
    variant: z.string().optional(),
    status: z.enum(REDEMPTION_STATUSES),
    quantity: z.number().int(),
    points: points.meta({ description: 'Nothing where an event gave it.' }),
    reversed_points: points,
    reversed_quantity: z.number().int(),
    discount: Discount.optional(),
    fulfillment: Fulfillment.optional(),
    credit: Credit.optional(),
    gift_cards: z.array(GiftCard).optional(),
    payment: z.string().nullable(),
    transaction: id('ptx')
      .nullable()
      .meta({ description: 'The debit; none where an event gave it.' }),
    expires_at: time.nullable().meta({ description: 'When the points return by themselves.' }),
    applied_at: time.nullable(),
    released_at: time.nullable(),
    fulfilled_at: time.nullable(),
    reversed_at: time.nullable(),
    reason: z.string().nullable().meta({ description: 'Why it was released or reversed.' }),
    late_payment: LatePayment.optional(),
    payment_unaffected: PaymentUnaffected.optional(),
    metadata,
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({ id: 'Redemption', description: 'One spend of points on one reward, and what it gave.' })

/** How often a reward is redeemed at once. */
export const quantity = z.number().int().min(1).max(MOST_AT_ONCE).default(1)

/** Which of a reward's variants. */
export const variant = text(LONGEST_VARIANT)
  .optional()
  .meta({ description: 'The size or colour, where the reward has variants.', example: 'm-red' })

/** What spends points. */
export const NewRedemption = z
  .strictObject({
    account: id('loy'),
    reward: id('rwd'),
    variant,
    quantity,
    shipping: Shipping.optional(),
    metadata: metadata.default({}),
  })
  .meta({ id: 'NewRedemption' })

const DAY_MINUTES = 1_440

/** How much longer a redemption is held. */
export const Extension = z
  .strictObject({ minutes: z.number().int().min(1).max(DAY_MINUTES) })
  .meta({ id: 'Extension' })

const LONGEST_REASON = 200

/** Why a redemption is undone, and how much of it. */
export const Reversal = z
  .strictObject({
    reason: text(LONGEST_REASON).meta({ example: 'item_returned' }),
    points: positivePoints
      .optional()
      .meta({ description: 'For a part of it; all that is left otherwise.' }),
    quantity: z
      .number()
      .int()
      .min(1)
      .max(MOST_AT_ONCE)
      .optional()
      .meta({ description: 'For a part of it: so many of the redemption’s `quantity`.' }),
    refund_payment: z.boolean().default(false).meta({
      description: 'Also refunds the completed payment what the discount took off it.',
    }),
  })
  .refine(({ points, quantity }) => points === undefined || quantity === undefined, {
    error: 'give points or quantity, not both',
    path: ['quantity'],
  })
  .meta({ id: 'Reversal' })

const LONGEST_TRACKING = 200
const MOST_ITEMS = 1_000_000 // as many as the largest redemption of the largest reward

/** A parcel that left. */
export const Parcel = z
  .strictObject({
    tracking: text(LONGEST_TRACKING).optional().meta({ example: '00340434161094042557' }),
    carrier: text(LONGEST_TRACKING).optional().meta({ example: 'DHL' }),
    quantity: z
      .number()
      .int()
      .min(1)
      .max(MOST_ITEMS)
      .optional()
      .meta({ description: 'Items in it; all that are left otherwise.' }),
  })
  .meta({ id: 'Parcel' })

type Asker = { readonly workspace: string; readonly livemode: boolean }

/** Redemptions as the API shows them. */
export async function presentRedemptions(
  deps: Deps,
  asker: Asker,
  rows: readonly RedemptionRow[],
): Promise<z.input<typeof Redemption>[]> {
  return Promise.all(rows.map((row) => presentRedemption(deps, asker, row)))
}

/** One redemption as the API shows it; `decimals` are its program's, where they are known. */
export async function presentRedemption(
  deps: Deps,
  asker: Asker,
  row: RedemptionRow,
  decimals?: number,
): Promise<z.input<typeof Redemption>> {
  const { workspace, program } = row
  return objectOf(deps, asker, row, decimals ?? (await deps.decimals.ofProgram(workspace, program)))
}

/** Gift cards with their codes, but where the server does not have the key of one. */
const objectOf = (
  { codes }: Deps,
  { workspace, livemode }: Asker,
  row: RedemptionRow,
  decimals: number,
) => redemptionObject(row, { decimals, livemode }, (sealed) => codes?.open(workspace, sealed))

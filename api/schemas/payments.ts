import { z } from 'zod'
import { REFUND_KINDS, REFUND_STATUSES, SHOWN_PAYMENT_STATUSES } from '../../domain/payment.ts'
import { amountMinor, currencyLower, positiveAmountMinor } from './amounts.ts'
import { customerId, id } from './ids.ts'
import { metadata, text } from './text.ts'
import { time } from './times.ts'

const MOST_DISCOUNTS = 20 // more than one checkout ever combines

const DiscountTaken = z.object({
  redemption: z.string(),
  code: z.string().nullable(),
  amount: z.number().int().optional(),
  percent: z.number().optional(),
  maxAmount: z.number().int().optional(),
  removed_at: time.optional().meta({ description: 'When it was taken off again.' }),
})

const DiscountRefused = z.object({ redemption: z.string(), code: z.string(), at: time })

const RefundOfPayment = z.object({
  id: z.string(),
  payment: z.string(),
  amount: z.number().int(),
  status: z.enum(REFUND_STATUSES),
})

/** The payment side, as its provider told us. */
export const Payment = z
  .object({
    id: z.string(),
    object: z.literal('payment'),
    provider: z.string(),
    status: z.enum(SHOWN_PAYMENT_STATUSES),
    amount: z.number().int(),
    amount_charged: z
      .number()
      .int()
      .meta({ description: 'The amount less its discounts and store credit, never below zero.' }),
    amount_refunded: z.number().int(),
    currency: z.string(),
    customer: z.string().nullable(),
    store_credit: z
      .number()
      .int()
      .meta({ description: 'Store credit spent on it and not given back, in minor units.' }),
    store_credit_account: z.string().nullable(),
    discounts: z.array(DiscountTaken),
    refused_discounts: z.array(DiscountRefused).optional(),
    redemptions: z.array(z.string()),
    refunds: z.array(RefundOfPayment),
    disputes: z.array(RefundOfPayment).optional(),
    completed_at: time.nullable(),
    expires_at: time.nullable(),
    metadata,
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({
    id: 'Payment',
    description: 'The payment side, as its provider told us. Money in minor units.',
  })

const DiscountAsked = z.union([
  z.strictObject({ redemption: id('rdm') }),
  z.strictObject({ code: text(60) }),
])

/** A card number as people write it: digits, spaces ignored. It is never stored. */
const card = z
  .string()
  .max(40)
  .transform((number) => number.replaceAll(' ', ''))
  .refine((number) => /^\d{12,19}$/.test(number), 'expected a card number')
  .meta({ example: '4242 4242 4242 4242' })

const StoreCredit = z
  .union([
    z.literal(true),
    positiveAmountMinor,
    z.strictObject({ account: id('loy').optional(), amount: positiveAmountMinor.optional() }),
  ])
  .meta({
    description:
      'Store credit to spend after the discounts: an amount in minor units, or true for all the member has; never more than is left to charge. Without an account, that of `metadata.loyalty_account`, or the only one of the customer.',
  })

/** What opens a sandbox payment. */
export const NewPayment = z
  .strictObject({
    amount: positiveAmountMinor,
    currency: currencyLower,
    customer: customerId.optional(),
    discounts: z.array(DiscountAsked).max(MOST_DISCOUNTS).default([]),
    redemptions: z.array(id('rdm')).max(MOST_DISCOUNTS).default([]),
    store_credit: StoreCredit.optional(),
    card: card.optional(),
    metadata: metadata.default({}),
  })
  .meta({ id: 'NewPayment' })

/** What confirms a payment that waits. */
export const Confirmation = z.strictObject({ card: card.optional() }).meta({ id: 'Confirmation' })

/** Money given back on a payment. */
export const Refund = z
  .object({
    id: z.string(),
    object: z.enum(REFUND_KINDS),
    payment: z.string(),
    amount: z.number().int(),
    status: z.enum(REFUND_STATUSES),
    reason: z.string().nullable(),
    return_redemption: z.boolean(),
    store_credit: z
      .number()
      .int()
      .meta({ description: 'Store credit given back to the wallet with it.' }),
    metadata,
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({
    id: 'Refund',
    description: 'Money given back on a payment, or taken back by a dispute. Minor units.',
  })

const LONGEST_REASON = 200

/** What refunds a sandbox payment. */
export const NewRefund = z
  .strictObject({
    payment: id('pay'),
    amount: amountMinor.optional().meta({
      description: 'Without it: all that is left. 0 only where the payment charged nothing.',
    }),
    reason: text(LONGEST_REASON).optional(),
    return_redemption: z
      .boolean()
      .default(false)
      .meta({ description: 'Also reverses the redemptions that the payment used.' }),
    store_credit: z
      .union([z.literal(true), positiveAmountMinor])
      .optional()
      .meta({
        description:
          'Store credit of the payment to give back to the wallet, or all of it. Where all the money is refunded it goes back by itself.',
      }),
    metadata: metadata.default({}),
  })
  .meta({ id: 'NewRefund' })

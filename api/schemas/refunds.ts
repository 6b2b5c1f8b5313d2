import { z } from 'zod'
import { REFUND_KINDS, REFUND_STATUSES } from '../../domain/payment.ts'
import { amountMinor, positiveAmountMinor } from './amounts.ts'
import { id } from './ids.ts'
import { metadata, text } from './text.ts'
import { time } from './times.ts'

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

import { z } from 'zod'

const LONGEST_PATH = 200
const path = z.string().min(1).max(LONGEST_PATH)

/**
 * How a workspace's generic provider words its events: for each of our fields the path to it in the
 * body (`data.order.id`), and which of its types mean what.
 */
export const GenericMapping = z.strictObject({
  header: z.string().default('x-signature'),
  encoding: z.enum(['hex', 'base64']).default('hex'),
  prefix: z.string().default(''),
  event: z.strictObject({ id: path, type: path, created: path.optional() }),
  types: z.record(
    z.string(),
    z.enum([
      'payment.created',
      'payment.processing',
      'payment.completed',
      'payment.failed',
      'payment.canceled',
      'payment.expired',
      'refund.created',
      'refund.failed',
      'invoice.paid',
      'subscription.created',
      'referral.converted',
    ]),
  ),
  payment: z.strictObject({
    id: path,
    amount: path.optional(),
    currency: path.optional(),
    customer: path.optional(),
    metadata: path.optional(),
    loyalty_account: path.optional(),
    invoice: path.optional(),
  }),
  /** An invoice, subscription or referral, which earns by itself. */
  trigger: z
    .strictObject({
      id: path,
      amount: path.optional(),
      currency: path.optional(),
      customer: path.optional(),
      metadata: path.optional(),
      loyalty_account: path.optional(),
      payment: path.optional(),
    })
    .optional(),
  refund: z.strictObject({ id: path, amount: path, status: path.optional() }).optional(),
})

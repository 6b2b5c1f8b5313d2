import { sql } from 'drizzle-orm'
import { boolean, check, index, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { idText, instant, units } from './columns.ts'

/** What a provider may tell us; refunded and partially_refunded are read from the refunds that stand. */
export const PAYMENT_STATUSES = [
  'requires_payment',
  'processing',
  'failed',
  'canceled',
  'expired',
  'completed',
] as const

/** The payment side, as its webhooks told us. Its status only advances. */
export const payment = pgTable(
  'payment',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    provider: text('provider').notNull(),
    status: text('status', { enum: PAYMENT_STATUSES }).notNull(),
    amount: units('amount').notNull(),
    amountCharged: units('amount_charged').notNull(),
    amountRefunded: units('amount_refunded').notNull().default(0),
    currency: text('currency').notNull(),
    customer: text('customer'),
    discounts: jsonb('discounts').$type<PaymentDiscount[]>().notNull().default([]),
    refusedDiscounts: jsonb('refused_discounts').$type<RefusedDiscount[]>().notNull().default([]),
    // The sandbox's card that waits for a confirmation; no card number is ever stored.
    awaitsConfirmation: boolean('awaits_confirmation').notNull().default(false),
    metadata: jsonb('metadata').$type<Record<string, string>>().notNull().default({}),
    createdAt: instant('created_at').notNull(),
    completedAt: instant('completed_at'),
    expiresAt: instant('expires_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('payment_newest').on(t.workspace, t.createdAt, t.id),
    index('payment_of_customer')
      .on(t.workspace, t.customer, t.createdAt)
      .where(sql`customer is not null`),
    index('payment_open')
      .on(t.expiresAt)
      .where(sql`expires_at is not null and status in ('requires_payment', 'processing')`),
    // a provider may charge more than the order: tips, surcharges
    check('payment_charge_positive', sql`amount >= 0 and amount_charged >= 0`),
  ],
)

/** One redemption's discount on a payment: what it takes off, and when it was taken away again. */
export type PaymentDiscount = {
  redemption: string
  code: string | null
  amount?: number
  percent?: number
  maxAmount?: number
  removed_at?: string
}

export type RefusedDiscount = { redemption: string; code: string; at: string }

/** Money given back on a payment. */
export const refund = pgTable(
  'refund',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    payment: idText('payment').notNull(),
    amount: units('amount').notNull(),
    status: text('status', { enum: ['succeeded', 'failed'] })
      .notNull()
      .default('succeeded'),
    reason: text('reason'),
    metadata: jsonb('metadata').$type<Record<string, string>>().notNull().default({}),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('refund_of_payment').on(t.workspace, t.payment),
  ],
)

/** Every payment event that arrived, once; it is processed when all that follows from it is done. */
export const inbox = pgTable(
  'inbox',
  {
    workspace: idText('workspace').notNull(),
    id: text('id').notNull(),
    provider: text('provider').notNull(),
    type: text('type').notNull(),
    payment: idText('payment'),
    payload: jsonb('payload').$type<Record<string, unknown>>().notNull(),
    receivedAt: instant('received_at').notNull(),
    processedAt: instant('processed_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('inbox_waiting').on(t.workspace, t.payment).where(sql`processed_at is null`),
    index('inbox_age').on(t.receivedAt).where(sql`processed_at is null`),
  ],
)

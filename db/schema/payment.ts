import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  index,
  jsonb,
  pgTable,
  primaryKey,
  text,
} from 'drizzle-orm/pg-core'
import {
  PAYMENT_AWARDS,
  PAYMENT_STATUSES,
  REFUND_KINDS,
  REFUND_STATUSES,
} from '../../domain/payment.ts'
import { idText, instant, units } from './columns.ts'

/** The payment side, as its webhooks reported it. Its status only advances. */
export const payment = pgTable(
  'payment',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    provider: text('provider').notNull(),
    // The provider endpoint whose events move it; null until the first of them, where the API made it.
    endpoint: idText('endpoint'),
    status: text('status', { enum: PAYMENT_STATUSES }).notNull(),
    amount: units('amount').notNull(),
    amountCharged: units('amount_charged').notNull(),
    amountRefunded: units('amount_refunded').notNull().default(0),
    currency: text('currency').notNull(),
    customer: text('customer'),
    // The invoice that it pays, where its provider names one: by the id under which that came in.
    invoice: idText('invoice'),
    // Store credit spent on it and not given back, in minor units, and whose it was.
    storeCredit: units('store_credit').notNull().default(0),
    storeCreditAccount: idText('store_credit_account'),
    discounts: jsonb('discounts').$type<PaymentDiscount[]>().notNull().default([]),
    // The refunds and disputes of it, as the refund table has them: what a reader of the payment sees.
    refunds: jsonb('refunds').$type<PaymentRefund[]>().notNull().default([]),
    disputes: jsonb('disputes').$type<PaymentRefund[]>().notNull().default([]),
    // What its completion earned; null until that was judged, which happens once (unless replayed).
    award: text('award', { enum: PAYMENT_AWARDS }),
    // When, by the rules and programs of then; null where it was before this column.
    judgedAt: instant('judged_at'),
    refusedDiscounts: jsonb('refused_discounts').$type<RefusedDiscount[]>().notNull().default([]),
    // The sandbox's card that waits for a confirmation; no card number is ever stored.
    awaitsConfirmation: boolean('awaits_confirmation').notNull().default(false),
    metadata: jsonb('metadata').$type<Record<string, string>>().notNull().default({}),
    // The shop's own number of the order, as its metadata has it. A column: row security lets no index
    // of an expression over jsonb be used. Cut, for an index takes no longer texts than some 2,700 bytes.
    orderNumber: text('order_number').generatedAlwaysAs(
      sql`left(coalesce(metadata ->> 'order_number', metadata ->> 'order_id', metadata ->> 'order', metadata ->> 'client_reference_id'), 200)`,
    ),
    createdAt: instant('created_at').notNull(),
    completedAt: instant('completed_at'),
    expiresAt: instant('expires_at'),
    // It named a member who was erased, and learns no name again.
    erasedAt: instant('erased_at'),
    /** Orders what its workflow is signalled: microseconds since 1970, and always more than before. */
    revision: bigint('revision', { mode: 'number' }).notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('payment_newest').on(t.workspace, t.createdAt, t.id),
    index('payment_of_customer')
      .on(t.workspace, t.customer, t.createdAt)
      .where(sql`customer is not null`),
    index('payment_of_order')
      .on(t.workspace, t.orderNumber, t.createdAt, t.id)
      .where(sql`order_number is not null`),
    index('payment_of_invoice').on(t.workspace, t.invoice).where(sql`invoice is not null`),
    index('payment_open')
      .on(t.expiresAt)
      .where(sql`expires_at is not null and status in ('requires_payment', 'processing')`),
    index('payment_expiries')
      .on(t.workspace, t.expiresAt, t.id)
      .where(sql`expires_at is not null and status in ('requires_payment', 'processing')`),
    index('payment_open_of_customer')
      .on(t.workspace, t.customer)
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

/** A refund or dispute as its payment shows it. */
export type PaymentRefund = {
  id: string
  amount: number
  status: 'succeeded' | 'failed' | 'pending'
}

/** Money given back on a payment, or taken back by a dispute. Its payment may be unknown yet. */
export const refund = pgTable(
  'refund',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    payment: idText('payment').notNull(),
    amount: units('amount').notNull(),
    status: text('status', { enum: REFUND_STATUSES }).notNull().default('succeeded'),
    kind: text('kind', { enum: REFUND_KINDS }).notNull().default('refund'),
    // Asked for with the refund: the redemptions that the payment used are reversed.
    returnRedemption: boolean('return_redemption').notNull().default(false),
    // What of the payment's store credit it gave back, in minor units.
    storeCredit: units('store_credit').notNull().default(0),
    reason: text('reason'),
    metadata: jsonb('metadata').$type<Record<string, string>>().notNull().default({}),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('refund_of_payment').on(t.workspace, t.payment),
    index('refund_newest').on(t.workspace, t.createdAt, t.id),
  ],
)

/** Every payment event that arrived, once an endpoint; it is processed when all that follows from it is done. */
export const inbox = pgTable(
  'inbox',
  {
    workspace: idText('workspace').notNull(),
    // The provider endpoint that sent it; empty for what the sandbox's own requests wrote.
    endpoint: idText('endpoint').notNull().default(''),
    id: text('id').notNull(),
    provider: text('provider').notNull(),
    type: text('type').notNull(),
    payment: idText('payment'),
    // By an allow-list of fields (inbox.sql); empty once its days are over.
    payload: jsonb('payload').$type<Record<string, unknown>>().notNull(),
    // Of all that it said; null for the product's own, and where only a mapping told what that is.
    fingerprint: text('fingerprint'),
    // What an earning trigger other than a payment says, in our own words.
    facts: jsonb('facts').$type<Record<string, unknown>>(),
    receivedAt: instant('received_at').notNull(),
    processedAt: instant('processed_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.endpoint, t.id] }),
    index('inbox_waiting').on(t.workspace, t.payment).where(sql`processed_at is null`),
    index('inbox_of_trigger').on(t.workspace, t.payment).where(sql`facts is not null`),
    index('inbox_of_payment').on(t.workspace, t.payment),
    index('inbox_age').on(t.receivedAt).where(sql`processed_at is null`),
    index('inbox_payload_age')
      .on(t.receivedAt)
      .where(sql`payload <> '{}' and payload <> '{"erased": true}'`),
  ],
)

/**
 * Whose an id is that events speak of and that no payment has: a refund's payment that is not known
 * yet, an invoice, a subscription, a referral. A payment's own row says it where there is one.
 */
export const sourceOwner = pgTable(
  'source_owner',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    provider: text('provider').notNull(),
    // Null for one from before endpoints were told apart, until its provider's first event about it.
    endpoint: idText('endpoint'),
  },
  (t) => [primaryKey({ columns: [t.workspace, t.id] })],
)

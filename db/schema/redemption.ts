import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import type { SealedGiftCard } from '../../domain/gift-card.ts'
import {
  type LateOutcome,
  REDEMPTION_COMMANDS,
  REDEMPTION_STATUSES,
  type StoredFulfillment,
} from '../../domain/redemption.ts'
import { type CodeSource, LIMIT_WINDOWS, REWARD_TYPES } from '../../domain/reward.ts'
import { idText, instant, units } from './columns.ts'
import { program } from './program.ts'

/** What points buy. */
export const reward = pgTable(
  'reward',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    program: idText('program').notNull(),
    name: text('name').notNull(),
    type: text('type', { enum: REWARD_TYPES }).notNull(),
    cost: units('cost').notNull(),
    // What its costs were reckoned in: always the program's, and kept so that it can be proved.
    decimals: integer('decimals'),
    value: jsonb('value').$type<RewardValue>().notNull(),
    active: boolean('active').notNull().default(true),
    inventory: integer('inventory'),
    startsAt: instant('starts_at'),
    endsAt: instant('ends_at'),
    perMemberLimit: integer('per_member_limit'),
    // In which window of the program's time zone the limit counts.
    limitWindow: text('limit_window', { enum: LIMIT_WINDOWS }).notNull().default('lifetime'),
    minTier: text('min_tier'),
    holdMinutes: numeric('hold_minutes', { mode: 'number' }),
    fulfillment: jsonb('fulfillment').$type<{
      deadlineDays?: number
      onOverdue?: 'notify' | 'refund'
    }>(),
    // What it costs members of a tier, by the tier's name, in the program's smallest unit.
    tierCosts: jsonb('tier_costs').$type<Record<string, number>>(),
    // Its sizes and colours are rows of reward_variant, each with its own stock.
    hasVariants: boolean('has_variants').notNull().default(false),
    // Where a gift card's codes come from.
    codes: jsonb('codes').$type<CodeSource>(),
    categories: text('categories').array().notNull().default([]),
    images: jsonb('images').$type<string[]>().notNull().default([]),
    archivedAt: instant('archived_at'),
    metadata: jsonb('metadata').$type<Record<string, string>>().notNull().default({}),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    foreignKey({
      columns: [t.workspace, t.program],
      foreignColumns: [program.workspace, program.id],
    }),
    index('reward_newest').on(t.workspace, t.createdAt, t.id),
    check('reward_cost_positive', sql`cost > 0`),
    check('reward_inventory_counts', sql`inventory >= 0`),
  ],
)

export type RewardValue =
  | { percent: number; maxAmount?: number; currency?: string }
  | { amount: number; currency: string; expiresDays?: number }
  | { product: string; quantity?: number }
  | { partner: string; sku: string }

/** One spend of points on one reward, and its artifact. */
export const redemption = pgTable(
  'redemption',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    account: idText('account').notNull(),
    reward: idText('reward').notNull(),
    program: idText('program').notNull(),
    status: text('status', { enum: REDEMPTION_STATUSES }).notNull(),
    points: units('points').notNull(),
    reversedPoints: units('reversed_points').notNull().default(0),
    quantity: integer('quantity').notNull(),
    /** How many of them are returned; stock and limits have those back. */
    reversedQuantity: integer('reversed_quantity').notNull().default(0),
    variant: text('variant'),
    // Whether it took stock, which its release or reversal gives back.
    tookStock: boolean('took_stock').notNull().default(false),
    discount: jsonb('discount').$type<Discount>(),
    code: text('code'),
    fulfillment: jsonb('fulfillment').$type<StoredFulfillment>(),
    credit: jsonb('credit').$type<Record<string, unknown>>(),
    giftCards: jsonb('gift_cards').$type<SealedGiftCard[]>(),
    payment: idText('payment'),
    // The debit; a gift took no points and has none.
    transaction: idText('transaction'),
    expiresAt: instant('expires_at'),
    appliedAt: instant('applied_at'),
    releasedAt: instant('released_at'),
    fulfilledAt: instant('fulfilled_at'),
    reversedAt: instant('reversed_at'),
    reason: text('reason'),
    latePayment: jsonb('late_payment').$type<LatePayment>(),
    /** When its fulfilment is next checked: the deadline, then each notice after it. */
    overdueAt: instant('overdue_at'),
    paymentUnaffected: jsonb('payment_unaffected').$type<UnaffectedPayment>(),
    fingerprint: text('fingerprint').notNull(),
    metadata: jsonb('metadata').$type<Record<string, string>>().notNull().default({}),
    createdAt: instant('created_at').notNull(),
    /** Orders what its workflow is signalled: microseconds since 1970, and always more than before. */
    revision: bigint('revision', { mode: 'number' }).notNull().default(0),
  },
  (t) => [
    // No foreign keys: neither accounts nor rewards are ever deleted, redemption_create has read both,
    // and a key's check would lock the reward's row for every redemption of a popular reward.
    primaryKey({ columns: [t.workspace, t.id] }),
    index('redemption_newest').on(t.workspace, t.createdAt, t.id),
    index('redemption_of_account').on(t.workspace, t.account, t.createdAt, t.id),
    index('redemption_of_payment').on(t.workspace, t.payment).where(sql`payment is not null`),
    uniqueIndex('redemption_code').on(t.workspace, t.code).where(sql`code is not null`),
    index('redemption_deadline').on(t.expiresAt).where(sql`status = 'pending'`),
    index('redemption_overdue').on(t.overdueAt).where(sql`status = 'fulfillment_pending'`),
    // What comes, of a workspace and of a member.
    index('redemption_releases').on(t.workspace, t.expiresAt, t.id).where(sql`status = 'pending'`),
    index('redemption_deadlines')
      .on(t.workspace, t.overdueAt, t.id)
      .where(sql`status = 'fulfillment_pending'`),
    index('redemption_waiting')
      .on(t.workspace, t.account)
      .where(sql`status in ('pending', 'fulfillment_pending')`),
    check('redemption_reversed_within', sql`reversed_points between 0 and points`),
    check('redemption_returned_within', sql`reversed_quantity between 0 and quantity`),
    check('redemption_debit_or_gift', sql`(transaction is null) = (points = 0)`),
  ],
)

export type Discount =
  | { amount: number; currency: string }
  | { percent: number; maxAmount?: number; currency?: string }

/** What came of a payment that charged the discount of a redemption already released. */
export type LatePayment = { payment: string; outcome: LateOutcome; at: string }

/** The completed payment of a reversed discount: it keeps its charge. Minor units. */
export type UnaffectedPayment = {
  payment: string
  currency: string
  /** What the points returned so far had taken off the payment. */
  discounted: number
  /** What of that is refunded, and what could be. */
  refunded: number
  refundable: number
  refunds: string[]
}

/** One message a redemption has obeyed; a repeat of the same operation changes nothing. */
export const redemptionMessage = pgTable(
  'redemption_message',
  {
    workspace: idText('workspace').notNull(),
    operation: text('operation').notNull(),
    redemption: idText('redemption').notNull(),
    kind: text('kind', { enum: REDEMPTION_COMMANDS }).notNull(),
    fingerprint: text('fingerprint').notNull(),
    at: instant('at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspace, t.operation] })],
)

/** One size or colour of a reward, named by its merchant, with a stock of its own. Never deleted: redemptions name it. */
export const rewardVariant = pgTable(
  'reward_variant',
  {
    workspace: idText('workspace').notNull(),
    reward: idText('reward').notNull(),
    id: text('id').notNull(),
    attributes: jsonb('attributes').$type<Record<string, string>>().notNull().default({}),
    inventory: integer('inventory'),
    // Null: what the reward costs.
    cost: units('cost'),
    active: boolean('active').notNull().default(true),
    position: integer('position').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.reward, t.id] }),
    foreignKey({ columns: [t.workspace, t.reward], foreignColumns: [reward.workspace, reward.id] }),
    check('reward_variant_cost_positive', sql`cost > 0`),
    check('reward_variant_inventory_counts', sql`inventory >= 0`),
  ],
)

import { sql } from 'drizzle-orm'
import {
  boolean,
  check,
  foreignKey,
  index,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { ACCOUNT_STATUSES } from '../../domain/account.ts'
import { idText, instant, units } from './columns.ts'
import { program } from './program.ts'

/** A member of one program. `balance` is the sum of its transactions, kept by the ledger functions alone. */
export const account = pgTable(
  'account',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    program: idText('program').notNull(),
    customer: text('customer'),
    // Whom it was linked to before, the last one at the end: what they had or owe here stays theirs.
    formerCustomers: text('former_customers').array().notNull().default([]),
    status: text('status', { enum: ACCOUNT_STATUSES }).notNull().default('active'),
    balance: units('balance').notNull().default(0),
    lifetimePoints: units('lifetime_points').notNull().default(0),
    tier: text('tier'),
    tierSince: instant('tier_since'),
    // The next date at which the tier could fall; null: it cannot by itself.
    tierReviewAt: instant('tier_review_at'),
    // Unused: it goes with the next release, for the one before reads it.
    tierReviewArmedAt: instant('tier_review_armed_at'),
    mergedInto: idText('merged_into'),
    // The account that took over what this one owed, and answers for its rows from then on.
    deficitTo: idText('deficit_to'),
    // No open lot is due before this; null: none ever. The hot path compares it instead of asking the lots.
    lotsDueFrom: instant('lots_due_from'),
    // Where lots extend with activity, none of them is due before this.
    activityExtendsTo: instant('activity_extends_to'),
    // Nothing of the account expires, and no warning is due, before this: its next expiry check.
    expiryWakeAt: instant('expiry_wake_at'),
    metadata: jsonb('metadata').$type<Record<string, string>>().notNull().default({}),
    createdAt: instant('created_at').notNull().defaultNow(),
    // When it was written, where its membership began before that, with a payment reported late; null: with it.
    enrolledAt: instant('enrolled_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    foreignKey({
      columns: [t.workspace, t.program],
      foreignColumns: [program.workspace, program.id],
    }),
    uniqueIndex('account_one_active_per_customer')
      .on(t.workspace, t.program, t.customer)
      .where(sql`status = 'active' and customer is not null`),
    index('account_by_customer').on(t.workspace, t.customer).where(sql`customer is not null`),
    index('account_by_former_customer').using('gin', t.formerCustomers),
    index('account_newest').on(t.workspace, t.createdAt, t.id),
    index('account_inactive')
      .on(t.workspace, t.status, t.createdAt, t.id)
      .where(sql`status <> 'active'`),
    index('account_expiry_wake').on(t.expiryWakeAt).where(sql`expiry_wake_at is not null`),
    index('account_merged_into').on(t.workspace, t.mergedInto).where(sql`merged_into is not null`),
    index('account_metadata').using('gin', t.metadata.op('jsonb_path_ops')),
    index('account_tier_review').on(t.tierReviewAt).where(sql`tier_review_at is not null`),
    // What comes, of a workspace.
    index('account_tier_reviews')
      .on(t.workspace, t.tierReviewAt, t.id)
      .where(sql`tier_review_at is not null`),
    index('account_expiry_checks')
      .on(t.workspace, t.expiryWakeAt, t.id)
      .where(sql`expiry_wake_at is not null and merged_into is null`),
    // JavaScript's safe integers; every check costs each write some 3 microseconds, so that there are few
    check('account_balance_safe', sql`balance between -9007199254740991 and 9007199254740991`),
  ],
)

/** What is left of the points that one credit brought; its id is that credit's. */
export const lot = pgTable(
  'lot',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    account: idText('account').notNull(),
    points: units('points').notNull(),
    remaining: units('remaining').notNull(),
    // Its own column, so that an update which leaves the lot open touches no index.
    open: boolean('open').notNull().generatedAlwaysAs(sql`remaining > 0`),
    earnedAt: instant('earned_at').notNull(),
    expiresAt: instant('expires_at'),
    extendsWithActivity: boolean('extends_with_activity').notNull().default(false),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('lot_oldest_open').on(t.workspace, t.account, t.earnedAt, t.id).where(sql`open`),
    index('lot_due')
      .on(t.workspace, t.account, t.expiresAt)
      .where(sql`open and expires_at is not null`),
    check('lot_remaining_within', sql`remaining >= 0 and remaining <= points`),
  ],
)

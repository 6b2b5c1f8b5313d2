import { sql } from 'drizzle-orm'
import { index, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { TIER_REASONS } from '../../domain/account.ts'
import { idText, instant, units } from './columns.ts'

/** Every change of a member's tier. Append-only by convention; `qualifying` is what counted then. */
export const tierChange = pgTable(
  'tier_change',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    account: idText('account').notNull(),
    fromTier: text('from_tier'),
    toTier: text('to_tier'),
    reason: text('reason', { enum: TIER_REASONS }).notNull(),
    note: text('note'),
    // Points in the smallest unit, or money in minor units, as the program qualifies; null where neither counts.
    qualifying: units('qualifying'),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('tier_change_of_account').on(t.workspace, t.account, t.id),
  ],
)

/** What a payment counts towards a tier that spend qualifies for: charged less refunded, minor units. */
export const tierSpend = pgTable(
  'tier_spend',
  {
    workspace: idText('workspace').notNull(),
    program: idText('program').notNull(),
    payment: idText('payment').notNull(),
    account: idText('account').notNull(),
    amount: units('amount').notNull(),
    at: instant('at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.program, t.payment] }),
    index('tier_spend_of_account').on(t.workspace, t.account, t.at),
  ],
)

/** One walk over a program's members after a change of its tiers: how far it has come. */
export const tierReassessment = pgTable(
  'tier_reassessment',
  {
    workspace: idText('workspace').notNull(),
    program: idText('program').notNull(),
    // Raised by each change: a walk that began before it starts over.
    revision: integer('revision').notNull().default(1),
    // Members up to this id are judged.
    through: idText('through').notNull().default(''),
    judged: units('judged').notNull().default(0),
    progressedAt: instant('progressed_at').notNull(),
    endedAt: instant('ended_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.program] }),
    index('tier_reassessment_open').on(t.progressedAt).where(sql`${t.endedAt} is null`),
  ],
)

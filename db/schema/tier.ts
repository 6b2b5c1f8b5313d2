import { index, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { idText, instant, units } from './columns.ts'

export const TIER_REASONS = [
  'enrolled',
  'qualified',
  'lapsed',
  'set',
  'merged',
  'reconfigured',
] as const

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

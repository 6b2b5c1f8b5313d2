import { sql } from 'drizzle-orm'
import {
  boolean,
  check,
  index,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { EARNING_OUTCOMES, EARNING_TRIGGERS } from '../../domain/earning-rule.ts'
import { ROUNDINGS } from '../../domain/points.ts'
import { idText, instant, units } from './columns.ts'

/** Points (as the API writes them) for so many minor units of a currency. */
export type Rate = { points: number; amount: number }
export type Award =
  | { per_amount: Rate & { currency: string } }
  | { fixed: number }
  | { per_currency: Record<string, Rate> }
export type Cap = { points: number; window: 'day' | 'week' | 'month' | 'lifetime' }
export type Conditions = {
  min_amount?: number
  currency?: string
  metadata?: Record<string, string>
}

/** What earns points in a program, and how many. Read as it is when something earns; the earning keeps a copy. */
export const earningRule = pgTable(
  'earning_rule',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    program: idText('program').notNull(),
    name: text('name'),
    trigger: text('trigger', { enum: EARNING_TRIGGERS }).notNull().default('payment.completed'),
    award: jsonb('award').$type<Award>().notNull(),
    multiplier: numeric('multiplier', { mode: 'number' }).notNull().default(1),
    cap: jsonb('cap').$type<Cap>(),
    conditions: jsonb('conditions').$type<Conditions>().notNull().default({}),
    pendingDays: numeric('pending_days', { mode: 'number' }).notNull().default(0),
    startsAt: instant('starts_at'),
    endsAt: instant('ends_at'),
    active: boolean('active').notNull().default(true),
    metadata: jsonb('metadata').$type<Record<string, string>>().notNull().default({}),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('earning_rule_by_trigger').on(t.workspace, t.program, t.trigger).where(sql`active`),
  ],
)

/**
 * What one rule made of one source (a payment, an invoice, ...) for one account, once. `points` is
 * the whole award; `clawed` how much of it the refunds that stand have taken back, on paper. While
 * it is pending there is no ptx; `none` is an award of nothing, with its reason.
 */
export const earning = pgTable(
  'earning',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    source: idText('source').notNull(),
    // Whose refunds take it back; null where nothing can be refunded.
    payment: idText('payment'),
    rule: idText('rule').notNull(),
    account: idText('account').notNull(),
    program: idText('program').notNull(),
    outcome: text('outcome', { enum: EARNING_OUTCOMES }).notNull(),
    reason: text('reason'),
    points: units('points').notNull(),
    clawed: units('clawed').notNull().default(0),
    // The rule as it was, and the ptx's source.
    terms: jsonb('terms').$type<Record<string, unknown>>().notNull(),
    ptxSource: jsonb('ptx_source').$type<Record<string, unknown>>().notNull(),
    // When it was earned by the provider's clock, or the account was there, the later; windows of caps count by it.
    earnedOn: instant('earned_on').notNull(),
    maturesAt: instant('matures_at'),
    transaction: idText('transaction'),
    createdAt: instant('created_at').notNull(),
    // How `points` came about, for explanations; null in rows of before these columns.
    tier: text('tier'),
    rounding: text('rounding', { enum: ROUNDINGS }),
    // What the award gave before the cap; and what the cap left then, null where there is none.
    uncapped: units('uncapped'),
    capLeft: units('cap_left'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    uniqueIndex('earning_once').on(t.workspace, t.source, t.rule, t.account),
    index('earning_of_payment').on(t.workspace, t.payment).where(sql`payment is not null`),
    index('earning_of_account').on(t.workspace, t.account, t.rule, t.earnedOn),
    index('earning_waiting').on(t.workspace, t.account).where(sql`outcome = 'pending'`),
    index('earning_pending').on(t.maturesAt).where(sql`outcome = 'pending'`),
    index('earning_maturing').on(t.workspace, t.maturesAt, t.id).where(sql`outcome = 'pending'`),
    check('earning_clawed_within', sql`points >= 0 and clawed between 0 and points`),
  ],
)

/**
 * One refund's share of one earning: taken by a ptx, shrunk while pending, expired before, or
 * forgiven where the program does not go below zero. A refund that fails gives its share back.
 */
export const clawback = pgTable(
  'clawback',
  {
    workspace: idText('workspace').notNull(),
    earning: idText('earning').notNull(),
    refund: idText('refund').notNull(),
    taken: units('taken').notNull(),
    shrunk: units('shrunk').notNull(),
    expired: units('expired').notNull(),
    forgiven: units('forgiven').notNull(),
    transaction: idText('transaction'),
    undone: boolean('undone').notNull().default(false),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.earning, t.refund] }),
    check('clawback_share', sql`least(taken, shrunk, expired, forgiven) >= 0`),
  ],
)

import { boolean, integer, jsonb, numeric, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { EXPIRY_MODES, EXPIRY_STEPS } from '../../domain/expiry.ts'
import { ROUNDINGS } from '../../domain/points.ts'
import { EXPIRED_RETURNS, LATE_PAYMENTS } from '../../domain/program.ts'
import { idText, instant } from './columns.ts'

/** Currency, expiry, clawback and hold of one loyalty program; every workspace has `prog_default`. */
export const program = pgTable(
  'program',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    name: text('name').notNull(),
    currencyName: text('currency_name').notNull().default('Points'),
    currencyCode: text('currency_code').notNull().default('EUR'),
    pointValue: numeric('point_value', { mode: 'number' }).notNull().default(1),
    rounding: text('rounding', { enum: ROUNDINGS }).notNull().default('down'),
    decimals: integer('decimals').notNull().default(0),
    expiryMode: text('expiry_mode', { enum: EXPIRY_MODES }).notNull().default('never'),
    expiryMonths: integer('expiry_months'),
    expiryFixedDate: text('expiry_fixed_date'),
    expiryResetOnActivity: boolean('expiry_reset_on_activity').notNull().default(false),
    expiryWarnDaysBefore: integer('expiry_warn_days_before'),
    expiryTimeZone: text('expiry_time_zone').notNull().default('UTC'),
    expiryRoundTo: text('expiry_round_to', { enum: EXPIRY_STEPS }).notNull().default('day'),
    clawbackAllowNegative: boolean('clawback_allow_negative').notNull().default(true),
    autoEnroll: boolean('auto_enroll').notNull().default(false),
    holdMinutes: numeric('hold_minutes', { mode: 'number' }),
    latePayment: text('late_payment', { enum: LATE_PAYMENTS }).notNull().default('flag'),
    expiredReturn: text('expired_return', { enum: EXPIRED_RETURNS }).notNull().default('restore'),
    graceDays: integer('grace_days').notNull().default(30),
    tierConfig: jsonb('tier_config').$type<TierConfig>(),
    metadata: jsonb('metadata').$type<Record<string, string>>().notNull().default({}),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.workspace, t.id] })],
)

/** `threshold` is in points (not units) or minor units of the program's currency, by `qualifyOn`. */
export type TierConfig = {
  qualifyOn: 'points' | 'spend' | 'custom'
  period: { type: 'lifetime' } | { type: 'rolling'; months: number }
  tiers: { name: string; rank: number; threshold: number; multiplier: number }[]
  /** How many days longer a fact counts for keeping a tier than for reaching it; 30 where it is not said. */
  graceDays?: number
}

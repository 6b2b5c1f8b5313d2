import { date, index, integer, numeric, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { LIABILITY_PARTS } from '../../domain/liability.ts'
import { idText, instant, units } from './columns.ts'

/** What a point was worth from when on: liability at a past instant uses the value then in force. */
export const pointValue = pgTable(
  'point_value',
  {
    workspace: idText('workspace').notNull(),
    program: idText('program').notNull(),
    from: instant('from').notNull(),
    value: numeric('value', { mode: 'number' }).notNull(),
    currency: text('currency').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspace, t.program, t.from] })],
)

/** Signed sums of ptx by program, UTC day of their event time and part; behind the ledger by a minute at most. */
export const ledgerTotal = pgTable(
  'ledger_total',
  {
    workspace: idText('workspace').notNull(),
    program: idText('program').notNull(),
    day: date('day', { mode: 'string' }).notNull(),
    part: text('part', { enum: LIABILITY_PARTS }).notNull(),
    amount: units('amount').notNull(),
    rows: integer('rows').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspace, t.program, t.day, t.part] })],
)

/** Up to which ptx id (by its time) the totals count, one row; ids below it are all in, those above in none. */
export const ledgerRollup = pgTable('ledger_rollup', {
  id: integer('id').primaryKey(),
  through: instant('through').notNull(),
  // When a roll-up last looked, and its transaction's number: once all up to it have ended, `noted_at` is safe.
  notedAt: instant('noted_at'),
  notedXid: text('noted_xid'),
})

/** The dates an account was warned of, once each. */
export const expiryWarning = pgTable(
  'expiry_warning',
  {
    workspace: idText('workspace').notNull(),
    account: idText('account').notNull(),
    expiresAt: instant('expires_at').notNull(),
    points: units('points').notNull(),
    warnedAt: instant('warned_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.account, t.expiresAt] }),
    index('expiry_warning_age').on(t.expiresAt),
  ],
)

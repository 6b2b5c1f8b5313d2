import { sql } from 'drizzle-orm'
import {
  check,
  foreignKey,
  index,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { CREDIT_TYPES } from '../../domain/store-credit.ts'
import { account } from './account.ts'
import { actedBy, idText, instant, units } from './columns.ts'

/** A member's store credit in one currency. `balance` is the sum of its transactions, kept by the ledger functions alone. */
export const creditWallet = pgTable(
  'credit_wallet',
  {
    workspace: idText('workspace').notNull(),
    account: idText('account').notNull(),
    currency: text('currency').notNull(),
    balance: units('balance').notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.account, t.currency] }),
    foreignKey({
      columns: [t.workspace, t.account],
      foreignColumns: [account.workspace, account.id],
    }),
    check('credit_wallet_never_below_zero', sql`balance >= 0`),
  ],
)

/** One issue of store credit and what is left of it. Its id is its redemption's, as `crd_`. */
export const credit = pgTable(
  'credit',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    account: idText('account').notNull(),
    program: idText('program').notNull(),
    redemption: idText('redemption').notNull(),
    currency: text('currency').notNull(),
    amount: units('amount').notNull(),
    remaining: units('remaining').notNull(),
    expiresAt: instant('expires_at'),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('credit_open')
      .on(t.workspace, t.account, t.currency, t.expiresAt, t.id)
      .where(sql`remaining > 0`),
    index('credit_due').on(t.expiresAt).where(sql`remaining > 0 and expires_at is not null`),
    check('credit_remaining_within', sql`remaining between 0 and amount`),
  ],
)

/** One signed movement of money on one credit of one wallet. Append-only. */
export const creditTransaction = pgTable(
  'credit_transaction',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    account: idText('account').notNull(),
    program: idText('program').notNull(),
    currency: text('currency').notNull(),
    type: text('type', { enum: CREDIT_TYPES }).notNull(),
    amount: units('amount').notNull(),
    balanceAfter: units('balance_after').notNull(),
    credit: idText('credit').notNull(),
    redemption: idText('redemption'),
    payment: idText('payment'),
    refund: idText('refund'),
    // The spend that a return gives back.
    reverses: idText('reverses'),
    operation: text('operation').notNull(),
    // When it happened, and when it was written.
    at: instant('at').notNull(),
    createdAt: instant('created_at').notNull(),
    actor: actedBy(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('credit_transaction_of_account').on(t.workspace, t.account, t.id),
    index('credit_transaction_of_payment')
      .on(t.workspace, t.payment)
      .where(sql`payment is not null`),
    index('credit_transaction_of_program').on(t.workspace, t.program, t.at),
    uniqueIndex('credit_transaction_operation').on(t.workspace, t.operation),
    check('credit_transaction_moves', sql`amount <> 0`),
  ],
)

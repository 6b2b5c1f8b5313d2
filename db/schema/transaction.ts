import { sql } from 'drizzle-orm'
import { index, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { TRANSACTION_TYPES } from '../../domain/transaction.ts'
import { actedBy, idText, instant, units } from './columns.ts'

/** One signed movement of points on one account. Append-only. */
export const ptx = pgTable(
  'ptx',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    account: idText('account').notNull(),
    program: idText('program').notNull(),
    type: text('type', { enum: TRANSACTION_TYPES }).notNull(),
    amount: units('amount').notNull(),
    balanceAfter: units('balance_after').notNull(),
    reason: text('reason'),
    // The request, message or provider object that caused it: a repeat finds the row instead of writing another.
    operation: text('operation').notNull(),
    fingerprint: text('fingerprint'),
    redemption: idText('redemption'),
    payment: idText('payment'),
    refund: idText('refund'),
    source: jsonb('source').$type<Record<string, unknown>>(),
    reverses: idText('reverses'),
    batch: text('batch'),
    expiresAt: instant('expires_at'),
    metadata: jsonb('metadata').$type<Record<string, string>>().notNull().default({}),
    // When it happened; created_at is when it was written.
    at: instant('at').notNull(),
    createdAt: instant('created_at').notNull(),
    actor: actedBy(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    uniqueIndex('ptx_operation').on(t.workspace, t.operation),
    index('ptx_of_account').on(t.workspace, t.account, t.id),
    index('ptx_reverses').on(t.workspace, t.reverses).where(sql`reverses is not null`),
    index('ptx_payment').on(t.workspace, t.payment).where(sql`payment is not null`),
    // 24 bytes a megabyte of rows: finds a day of event time, written late or not
    index('ptx_at').using('brin', t.at),
    index('ptx_batch').on(t.workspace, t.batch, t.id).where(sql`batch is not null`),
  ],
)

/**
 * How much a debit took from a lot (positive), or got given back to it (negative).
 * `cause` is the transaction that moved it: the debit itself, the credit that filled
 * its deficit, or the release or reversal that undid it. Append-only.
 */
export const allocation = pgTable(
  'allocation',
  {
    workspace: idText('workspace').notNull(),
    debit: idText('debit').notNull(),
    lot: idText('lot').notNull(),
    cause: idText('cause').notNull(),
    amount: units('amount').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.debit, t.lot, t.cause] }),
    // For readers alone, who say the predicate; no ledger function's plan can take one for the key (0001_guards).
    index('allocation_of_lot').on(t.workspace, t.lot, t.debit, t.cause).where(sql`amount <> 0`),
    index('allocation_of_cause')
      .on(t.workspace, t.cause, t.debit, t.lot)
      .where(sql`cause <> debit and amount <> 0`),
  ],
)

/** A fact that happened. `data` is the row as it was; null where the object is a ptx, which never changes and has the actor. */
export const event = pgTable(
  'event',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    type: text('type').notNull(),
    object: idText('object').notNull(),
    data: jsonb('data').$type<Record<string, unknown>>(),
    previous: jsonb('previous').$type<Record<string, unknown>>(),
    createdAt: instant('created_at').notNull(),
    actor: actedBy(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    // The event of a ptx is found by its id, which is made of the ptx's.
    index('event_of_object').on(t.workspace, t.object, t.id).where(sql`data is not null`),
  ],
)

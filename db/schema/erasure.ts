import { sql } from 'drizzle-orm'
import { index, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { ERASURE_STATUSES, type ErasureWait } from '../../domain/erasure.ts'
import { idText, instant } from './columns.ts'

/** A member whose personal data is removed: how far that is, and at its end the certificate. One an account. */
export const erasure = pgTable(
  'erasure',
  {
    workspace: idText('workspace').notNull(),
    account: idText('account').notNull(),
    status: text('status', { enum: ERASURE_STATUSES }).notNull().default('waiting'),
    // What must end first, as of checked_at.
    waitsFor: jsonb('waits_for').$type<ErasureWait[]>().notNull().default([]),
    // Rows changed so far, by store.
    stores: jsonb('stores').$type<Record<string, number>>().notNull().default({}),
    // Rows of before the end that still say something, by store, as the last search found them.
    found: jsonb('found').$type<Record<string, number>>(),
    // Payments left as they are, for they are another account's too.
    shared: jsonb('shared').$type<string[]>().notNull().default([]),
    // All that was found to be theirs, by its id: once it names nobody, nothing else says so.
    payments: text('payments').array().notNull().default([]),
    // By whom what is theirs is found; null at the end.
    customers: text('customers').array(),
    requestedAt: instant('requested_at').notNull(),
    checkedAt: instant('checked_at'),
    searchedAt: instant('searched_at'),
    completedAt: instant('completed_at'),
    // The reconciler looks after one that stands still.
    progressedAt: instant('progressed_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.account] }),
    index('erasure_open').on(t.progressedAt).where(sql`status <> 'completed'`),
  ],
)

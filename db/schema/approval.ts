import { sql } from 'drizzle-orm'
import { bigint, boolean, index, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import type { Maker } from '../../domain/actor.ts'
import { APPROVAL_KINDS, APPROVAL_STATUSES, type ApprovalEffect } from '../../domain/approval.ts'
import { idText, instant } from './columns.ts'

/** A command that waits for another person's yes, with what it would do. Its workflow carries its id. */
export const approval = pgTable(
  'approval',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    kind: text('kind', { enum: APPROVAL_KINDS }).notNull(),
    status: text('status', { enum: APPROVAL_STATUSES }).notNull().default('pending'),
    // What it is about, where that is one account or one batch, and why it was asked for.
    account: idText('account'),
    batch: text('batch'),
    reason: text('reason'),
    // What is done once it is approved, as approval_carry_out reads it.
    command: jsonb('command').$type<Record<string, unknown>>().notNull(),
    effect: jsonb('effect').$type<ApprovalEffect>().notNull(),
    // The asker's limit that it is above, in points or rows; null: any needs an approval.
    ceiling: bigint('ceiling', { mode: 'number' }),
    // Of the request that asked.
    fingerprint: text('fingerprint').notNull(),
    requestedBy: jsonb('requested_by').$type<Maker>().notNull(),
    settledBy: jsonb('settled_by').$type<Maker>(),
    // Whether the asker confirmed it themselves, an owner whom nobody else could answer.
    confirmedAlone: boolean('confirmed_alone').notNull().default(false),
    // What whoever settled it had to say.
    note: text('note'),
    // The id of what it brought about, where that is one object.
    result: idText('result'),
    createdAt: instant('created_at').notNull(),
    remindsAt: instant('reminds_at').notNull(),
    remindedAt: instant('reminded_at'),
    expiresAt: instant('expires_at').notNull(),
    settledAt: instant('settled_at'),
    revision: bigint('revision', { mode: 'number' }).notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('approval_newest').on(t.workspace, t.createdAt, t.id),
    index('approval_pending').on(t.workspace, t.id).where(sql`status = 'pending'`),
    index('approval_result').on(t.workspace, t.result).where(sql`status = 'approved'`),
  ],
)

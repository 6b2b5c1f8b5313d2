import { sql } from 'drizzle-orm'
import { bigint, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { OUTBOX_CHANGES } from '../../domain/outbox.ts'
import { idText, instant } from './columns.ts'

/**
 * What Temporal must be given, written in the transaction that changed the row: one row for each workflow,
 * so that several changes are one. Deleted once it is sent.
 */
export const workflowOutbox = pgTable(
  'workflow_outbox',
  {
    workspace: idText('workspace').notNull(),
    workflowId: idText('workflow_id').notNull(),
    workflowType: text('workflow_type').notNull(),
    /** What a run is started with; it gets the facts and their revision beside it. */
    input: jsonb('input').$type<Record<string, unknown>>().notNull(),
    /** When a run that is started now has something to do; null: at once. */
    startAt: instant('start_at'),
    facts: jsonb('facts').$type<Record<string, unknown>>().notNull(),
    /** Orders the facts of one workflow: microseconds since 1970, and always more than before. */
    revision: bigint('revision', { mode: 'number' }).notNull(),
    change: text('change', { enum: OUTBOX_CHANGES }).notNull(),
    writtenAt: instant('written_at').notNull(),
    /** Until then it belongs to the process that wrote it, or to the sweep that took it. */
    nextAttemptAt: instant('next_attempt_at').notNull(),
    /** Calls that Temporal itself refused; those that did not reach it do not count. */
    attempts: integer('attempts').notNull().default(0),
    lastError: text('last_error'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.workflowId] }),
    // Those that wait, then those that have ended; both in the order in which they are due.
    index('workflow_outbox_due').on(
      sql`(case when change = 'ended' then 1 else 0 end)`,
      t.nextAttemptAt,
    ),
  ],
)

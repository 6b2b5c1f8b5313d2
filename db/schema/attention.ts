import { sql } from 'drizzle-orm'
import { index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { Maker } from '../../domain/actor.ts'
import { ATTENTION_KINDS } from '../../domain/attention.ts'
import { idText, instant } from './columns.ts'

/** What needs a person: noted once for each `key`, and how often it came up. */
export const attention = pgTable(
  'attention',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    kind: text('kind', { enum: ATTENTION_KINDS }).notNull(),
    // What it is about, by its id.
    object: text('object').notNull(),
    key: text('key').notNull(),
    details: jsonb('details').$type<Record<string, unknown>>().notNull(),
    times: integer('times').notNull().default(1),
    since: instant('since').notNull(),
    lastAt: instant('last_at').notNull(),
    /** Until then it is out of sight. */
    snoozedUntil: instant('snoozed_until'),
    settledAt: instant('settled_at'),
    /** Who snoozed or resolved it last, and why. */
    decision: jsonb('decision').$type<AttentionDecision>(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    uniqueIndex('attention_once').on(t.workspace, t.kind, t.key),
    // In the order of the list, where what was snoozed stands at the end of its snooze.
    index('attention_open')
      .on(t.workspace, sql`(coalesce(snoozed_until, since))`, t.id)
      .where(sql`settled_at is null`),
    index('attention_open_of_kind')
      .on(t.workspace, t.kind, sql`(coalesce(snoozed_until, since))`, t.id)
      .where(sql`settled_at is null`),
    index('attention_settled')
      .on(t.workspace, t.settledAt, t.id)
      .where(sql`settled_at is not null`),
  ],
)

export type AttentionDecision = {
  verb: 'snoozed' | 'resolved'
  reason: string
  actor: Maker
  at: string
}

import { sql } from 'drizzle-orm'
import { index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { idText, instant } from './columns.ts'

/** What needs a person: noted once for each `key`, and how often it came up. */
export const attention = pgTable(
  'attention',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    kind: text('kind', { enum: ['payment_event_conflict', 'workflow_refused'] }).notNull(),
    // What it is about, by its id.
    object: text('object').notNull(),
    key: text('key').notNull(),
    details: jsonb('details').$type<Record<string, unknown>>().notNull(),
    times: integer('times').notNull().default(1),
    since: instant('since').notNull(),
    lastAt: instant('last_at').notNull(),
    settledAt: instant('settled_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    uniqueIndex('attention_once').on(t.workspace, t.kind, t.key),
    index('attention_open').on(t.workspace, t.since).where(sql`settled_at is null`),
  ],
)

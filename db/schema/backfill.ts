import { sql } from 'drizzle-orm'
import { bigint, pgTable, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

/** Rows from before, brought in line some hundreds a transaction: how far that is, store by store. Of no workspace. */
export const backfill = pgTable('backfill', {
  store: text('store').primaryKey(),
  // The key of the last row that it looked at.
  through: text('through').array().notNull().default(sql`'{"","",""}'`),
  seen: bigint('seen', { mode: 'number' }).notNull().default(0),
  changed: bigint('changed', { mode: 'number' }).notNull().default(0),
  endedAt: instant('ended_at'),
})

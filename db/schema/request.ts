import { sql } from 'drizzle-orm'
import { boolean, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { idText, instant } from './columns.ts'

/**
 * Requests that were answered, for those who look for what went wrong: written behind the answer. One
 * partition a day, by the time that an id begins with; the database drops them, nobody deletes a row.
 */
export const request = pgTable(
  'request',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    createdAt: instant('created_at').notNull(),
    method: text('method').notNull(),
    /** Its template, under `/v1`. */
    route: text('route').notNull(),
    /** Whose id the path named, or what it made. */
    resource: idText('resource'),
    /** Null: the client went away before it was answered. */
    status: integer('status'),
    errorCode: text('error_code'),
    errorParam: text('error_param'),
    key: idText('key'),
    hasIdempotencyKey: boolean('has_idempotency_key').notNull(),
    replayed: boolean('replayed').notNull(),
    durationMs: integer('duration_ms').notNull(),
    /** The fields that api/server/request-fields.ts allows. */
    body: jsonb('body').$type<Record<string, unknown>>(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('request_resource').on(t.workspace, t.resource, t.id).where(sql`resource is not null`),
    index('request_refused').on(t.workspace, t.status, t.id).where(sql`status >= 400`),
  ],
)

import { sql } from 'drizzle-orm'
import { index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { CODE_STATUSES } from '../../domain/code-pool.ts'
import { idText, instant } from './columns.ts'

/** Gift card codes uploaded in advance; one redemption takes each. */
export const codePool = pgTable(
  'code_pool',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    name: text('name').notNull(),
    // With this many left or fewer, the pool runs low, and an event says so, once until it is filled.
    lowAt: integer('low_at').notNull(),
    lowSince: instant('low_since'),
    metadata: jsonb('metadata').$type<Record<string, string>>().notNull().default({}),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('code_pool_newest').on(t.workspace, t.createdAt, t.id),
  ],
)

/** One upload of codes into a pool, and what of it was there already. */
export const codeBatch = pgTable(
  'code_batch',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    pool: idText('pool').notNull(),
    added: integer('added').notNull(),
    duplicates: jsonb('duplicates').$type<{ line: number }[]>().notNull().default([]),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspace, t.id] })],
)

/** One code: uploaded into a pool, or generated for its redemption. Its text is sealed; a hash keeps it unique. */
export const giftCode = pgTable(
  'gift_code',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    pool: idText('pool'),
    batch: idText('batch'),
    // Its place in its upload, from 1.
    line: integer('line'),
    hash: text('hash').notNull(),
    sealed: text('sealed').notNull(),
    last4: text('last4').notNull(),
    status: text('status', { enum: CODE_STATUSES }).notNull().default('available'),
    redemption: idText('redemption'),
    givenAt: instant('given_at'),
    voidedAt: instant('voided_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    uniqueIndex('gift_code_once').on(t.workspace, t.hash),
    index('gift_code_next').on(t.workspace, t.pool, t.id).where(sql`status = 'available'`),
    index('gift_code_last4').on(t.workspace, t.last4, t.id).where(sql`redemption is not null`),
    index('gift_code_of_redemption')
      .on(t.workspace, t.redemption)
      .where(sql`redemption is not null`),
  ],
)

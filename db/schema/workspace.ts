import { boolean, index, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { Maker } from '../../domain/actor.ts'
import { KEY_KINDS } from '../../domain/secrets.ts'
import { idText, instant } from './columns.ts'

/** The tenant. A merchant's test mode and live mode are two workspaces. */
export const workspace = pgTable('workspace', {
  id: idText('id').primaryKey(),
  name: text('name').notNull(),
  livemode: boolean('livemode').notNull().default(false),
  createdAt: instant('created_at').notNull().defaultNow(),
})

/** A key to the API, kept as a hash; `last4` is what a person recognises it by. */
export const apiKey = pgTable(
  'api_key',
  {
    workspace: idText('workspace')
      .notNull()
      .references(() => workspace.id),
    id: idText('id').notNull(),
    hash: text('hash').notNull(),
    kind: text('kind', { enum: KEY_KINDS }).notNull(),
    last4: text('last4').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    expiresAt: instant('expires_at'),
    revokedAt: instant('revoked_at'),
    name: text('name'),
    // What the key begins with; null for keys from before it was kept.
    prefix: text('prefix'),
    // What it may do, as domain/scopes.ts has it. Keys from before may do everything; a publishable one has no use for it.
    scopes: text('scopes').array().notNull().default(['*']),
    // Null where the command line made it.
    createdBy: jsonb('created_by').$type<Maker>(),
    // To the minute.
    lastUsedAt: instant('last_used_at'),
    // The secret before the last roll, and until when it is taken as well.
    previousHash: text('previous_hash'),
    previousExpiresAt: instant('previous_expires_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    uniqueIndex('api_key_hash').on(t.hash),
    uniqueIndex('api_key_previous_hash').on(t.previousHash),
  ],
)

/**
 * What a payment provider signs its webhooks with. Secrets of one endpoint, one after another as they
 * are rolled, share its id: that of the first of them.
 */
export const paymentSecret = pgTable(
  'payment_secret',
  {
    workspace: idText('workspace')
      .notNull()
      .references(() => workspace.id),
    id: idText('id').notNull(),
    endpoint: idText('endpoint').notNull(),
    provider: text('provider').notNull(),
    secret: text('secret').notNull(),
    // Where the generic provider finds what in its body.
    mapping: jsonb('mapping').$type<Record<string, unknown>>(),
    // Also taken at the provider's address without an endpoint: the sandbox's, and those from before.
    sharedAddress: boolean('shared_address').notNull().default(false),
    createdAt: instant('created_at').notNull().defaultNow(),
    // In the future while a rolled secret is still taken beside its successor.
    revokedAt: instant('revoked_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('payment_secret_provider').on(t.provider),
    index('payment_secret_endpoint').on(t.endpoint),
  ],
)

/** One remembered request: which resource a key brought into being, for 24 hours. */
export const idempotencyKey = pgTable(
  'idempotency_key',
  {
    workspace: idText('workspace').notNull(),
    route: text('route').notNull(),
    key: text('key').notNull(),
    fingerprint: text('fingerprint').notNull(),
    resource: idText('resource').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.route, t.key] }),
    index('idempotency_key_age').on(t.createdAt),
  ],
)

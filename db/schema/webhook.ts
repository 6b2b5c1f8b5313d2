import { sql } from 'drizzle-orm'
import { index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import {
  DELIVERY_STATUSES,
  DISABLED_REASONS,
  ENDPOINT_STATUSES,
} from '../../domain/webhook-endpoint.ts'
import { idText, instant } from './columns.ts'

/** Where events are sent, and how that has been going. */
export const webhookEndpoint = pgTable(
  'webhook_endpoint',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    url: text('url').notNull(),
    enabledEvents: text('enabled_events').array().notNull(),
    description: text('description'),
    status: text('status', { enum: ENDPOINT_STATUSES }).notNull().default('enabled'),
    disabledReason: text('disabled_reason', { enum: DISABLED_REASONS }),
    secret: text('secret').notNull(),
    // Signs as well until its time, so that a receiver can change over.
    previousSecret: text('previous_secret'),
    previousSecretExpiresAt: instant('previous_secret_expires_at'),
    // Since when it has been enabled for just these events, and until when it was; for the books.
    subscribedSince: instant('subscribed_since').notNull().default(sql`clock_timestamp()`),
    subscribedUntil: instant('subscribed_until'),
    // Until then a delivery run works on it and finds new deliveries by itself.
    busyUntil: instant('busy_until'),
    // Since the first failure after the last success.
    failingSince: instant('failing_since'),
    lastSuccessAt: instant('last_success_at'),
    lastFailureAt: instant('last_failure_at'),
    metadata: jsonb('metadata').$type<Record<string, string>>().notNull().default({}),
    createdAt: instant('created_at').notNull(),
    deletedAt: instant('deleted_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('webhook_endpoint_enabled').on(t.workspace).where(sql`status = 'enabled'`),
  ],
)

/** One try: when, to where, and what came back. */
export type DeliveryAttempt = {
  at: string
  url: string
  duration_ms: number
  response_status?: number
  response_body?: string
  error?: string
}

/** One event on its way to one endpoint. Everything about its retries is in the row. */
export const webhookDelivery = pgTable(
  'webhook_delivery',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    endpoint: idText('endpoint').notNull(),
    event: idText('event').notNull(),
    status: text('status', { enum: DELIVERY_STATUSES }).notNull().default('pending'),
    attempt: integer('attempt').notNull().default(0),
    nextAttemptAt: instant('next_attempt_at'),
    attempts: jsonb('attempts').$type<DeliveryAttempt[]>().notNull().default([]),
    // The request that asked for a replay; null where the event itself brought it about.
    operation: text('operation'),
    createdAt: instant('created_at').notNull(),
    settledAt: instant('settled_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('webhook_delivery_due')
      .on(t.workspace, t.endpoint, t.nextAttemptAt)
      .where(sql`status = 'pending'`),
    index('webhook_delivery_of_endpoint').on(t.workspace, t.endpoint, t.id),
    index('webhook_delivery_of_event').on(t.workspace, t.event),
    index('webhook_delivery_overdue').on(t.nextAttemptAt).where(sql`status = 'pending'`),
    uniqueIndex('webhook_delivery_once')
      .on(t.workspace, t.endpoint, t.event, t.operation)
      .where(sql`operation is not null`),
  ],
)

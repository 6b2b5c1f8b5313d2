import { sql } from 'drizzle-orm'
import {
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import type { Limits, REACTION_TYPES, REACTOR_OUTCOMES, Reaction } from '../../domain/reactor.ts'
import { idText, instant, units } from './columns.ts'

/** A kind of event that a merchant's tills report; its schema is that of its newest version. */
export const eventType = pgTable(
  'event_type',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    name: text('name').notNull(),
    description: text('description'),
    version: integer('version').notNull().default(1),
    schema: jsonb('schema').$type<Record<string, unknown>>().notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    uniqueIndex('event_type_name').on(t.workspace, t.name),
  ],
)

/** Every schema that an event type ever had. Append-only. */
export const eventTypeVersion = pgTable(
  'event_type_version',
  {
    workspace: idText('workspace').notNull(),
    eventType: idText('event_type').notNull(),
    version: integer('version').notNull(),
    schema: jsonb('schema').$type<Record<string, unknown>>().notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.workspace, t.eventType, t.version] })],
)

/** What follows when an event of its trigger is reported. Deleted ones stay: transactions name them. */
export const reactor = pgTable(
  'reactor',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    name: text('name').notNull(),
    trigger: text('trigger').notNull(),
    // Counts edits: what was planned by an older one is planned again.
    version: integer('version').notNull().default(1),
    conditions: jsonb('conditions').$type<string[]>().notNull().default([]),
    reactions: jsonb('reactions').$type<Reaction[]>().notNull(),
    limits: jsonb('limits').$type<Limits>().notNull().default({}),
    position: integer('position').notNull().default(0),
    startsAt: instant('starts_at'),
    endsAt: instant('ends_at'),
    active: boolean('active').notNull().default(true),
    metadata: jsonb('metadata').$type<Record<string, string>>().notNull().default({}),
    createdAt: instant('created_at').notNull().defaultNow(),
    deletedAt: instant('deleted_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index('reactor_by_trigger').on(t.workspace, t.trigger).where(sql`deleted_at is null`),
  ],
)

/** One activation of a reactor for one member: what its limits count. Append-only. */
export const reactorActivation = pgTable(
  'reactor_activation',
  {
    workspace: idText('workspace').notNull(),
    event: idText('event').notNull(),
    reactor: idText('reactor').notNull(),
    account: idText('account').notNull(),
    // When the event happened, by which windows count.
    at: instant('at').notNull(),
    // When it was received, where the till gave another time; limits count that as well.
    receivedAt: instant('received_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.event, t.reactor] }),
    index('reactor_activation_of_account').on(t.workspace, t.reactor, t.account, t.at),
    index('reactor_activation_at').on(t.workspace, t.reactor, t.at),
    index('reactor_activation_received_of_account')
      .on(t.workspace, t.reactor, t.account, t.receivedAt)
      .where(sql`received_at is not null`),
    index('reactor_activation_received')
      .on(t.workspace, t.reactor, t.receivedAt)
      .where(sql`received_at is not null`),
  ],
)

/** What became of one reactor, as `event_report` stored it; points in the smallest unit. */
export type ReactorOutcome = {
  reactor: string
  name: string
  outcome: (typeof REACTOR_OUTCOMES)[number]
  reason?: string
  explanation: string
  required?: number
  available?: number
  missing?: number
  reactions: {
    type: (typeof REACTION_TYPES)[number]
    amount?: number
    transaction?: string | null
    balance_after?: number
    tier?: string
    reward?: string
    quantity?: number
    redemption?: string
    event?: string
    event_type?: string
  }[]
}

/** One transaction that undid another; `amount` signed, in the smallest unit. */
export type Undone = { transaction: string; amount: number; reverses: string }

/** One event that a till reported, and all that became of it, once by its `event_id`. Append-only. */
export const reportedEvent = pgTable(
  'reported_event',
  {
    workspace: idText('workspace').notNull(),
    // The row in `event` has the same id, and the payload.
    id: idText('id').notNull(),
    // The caller's own, or the request's operation where it sent none.
    eventId: text('event_id').notNull(),
    fingerprint: text('fingerprint').notNull(),
    type: text('type').notNull(),
    typeVersion: integer('type_version').notNull(),
    account: idText('account').notNull(),
    program: idText('program').notNull(),
    user: text('user_id').notNull(),
    strict: boolean('is_strict').notNull(),
    outcomes: jsonb('outcomes').$type<ReactorOutcome[]>().notNull(),
    points: units('points').notNull(),
    balanceAfter: units('balance_after').notNull(),
    occurredAt: instant('occurred_at').notNull(),
    createdAt: instant('created_at').notNull(),
    // The event_id of the event that this one undid, and by which transactions.
    reverses: text('reverses'),
    undone: jsonb('undone').$type<Undone[]>(),
    // Where its points are held: by this redemption, until it is confirmed.
    redemption: idText('redemption'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    uniqueIndex('reported_event_reversal')
      .on(t.workspace, t.reverses)
      .where(sql`reverses is not null`),
    uniqueIndex('reported_event_once').on(t.workspace, t.eventId),
    index('reported_event_of_account').on(t.workspace, t.account, t.id),
  ],
)

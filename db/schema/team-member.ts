import { sql } from 'drizzle-orm'
import {
  doublePrecision,
  index,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import type { Maker } from '../../domain/actor.ts'
import { ROLES } from '../../domain/roles.ts'
import { MEMBERSHIP_STATUSES, TOKEN_KINDS } from '../../domain/team-member.ts'
import { idText, instant } from './columns.ts'
import { workspace } from './workspace.ts'

/** A person, of no workspace: memberships say of which. The e-mail is in lower case. */
export const teamMember = pgTable(
  'team_member',
  {
    id: idText('id').primaryKey(),
    email: text('email').notNull(),
    name: text('name'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [uniqueIndex('team_member_email').on(t.email)],
)

const userId = () =>
  idText('user_id')
    .notNull()
    .references(() => teamMember.id)

/** A person in a workspace. Removed ones stay for the trail. */
export const membership = pgTable(
  'membership',
  {
    workspace: idText('workspace')
      .notNull()
      .references(() => workspace.id),
    id: idText('id').notNull(),
    userId: userId(),
    role: text('role', { enum: ROLES }).notNull(),
    status: text('status', { enum: MEMBERSHIP_STATUSES }).notNull(),
    // Null where the command line did.
    invitedBy: jsonb('invited_by').$type<Maker>(),
    createdAt: instant('created_at').notNull().defaultNow(),
    removedAt: instant('removed_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    uniqueIndex('membership_user').on(t.userId, t.workspace).where(sql`removed_at is null`),
  ],
)

/** What a person signs in with: the argon2id hash of their password. */
export const credential = pgTable('credential', {
  userId: userId().primaryKey(),
  passwordHash: text('password_hash').notNull(),
  changedAt: instant('changed_at').notNull(),
})

/** Who a person is at an OpenID provider. */
export const oidcIdentity = pgTable(
  'oidc_identity',
  {
    issuer: text('issuer').notNull(),
    subject: text('subject').notNull(),
    userId: userId(),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.issuer, t.subject] })],
)

/** A person who is signed in, by the hash of the cookie. */
export const session = pgTable(
  'session',
  {
    id: idText('id').primaryKey(),
    userId: userId(),
    hash: text('hash').notNull(),
    userAgent: text('user_agent'),
    createdAt: instant('created_at').notNull(),
    // To the minute.
    seenAt: instant('seen_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
    endedAt: instant('ended_at'),
  },
  (t) => [uniqueIndex('session_hash').on(t.hash), index('session_user').on(t.userId)],
)

/** What an invitation, a reset or a first sign-in is redeemed with, once, by its hash. */
export const oneTimeToken = pgTable(
  'one_time_token',
  {
    hash: text('hash').primaryKey(),
    kind: text('kind', { enum: TOKEN_KINDS }).notNull(),
    userId: userId(),
    // Of an invitation: what it makes active.
    workspace: idText('workspace'),
    membership: idText('membership'),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
    usedAt: instant('used_at'),
  },
  (t) => [index('one_time_token_user').on(t.userId)],
)

/** A browser that a person has signed in with before, by the hash of its cookie. */
export const knownDevice = pgTable(
  'known_device',
  {
    userId: userId(),
    hash: text('hash').notNull(),
    lastAt: instant('last_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.userId, t.hash] })],
)

/** How often something failed lately, and until when it is not tried: of all processes together. */
export const attempt = pgTable(
  'attempt',
  {
    key: text('key').primaryKey(),
    // Failures, less what has leaked away since `at`.
    level: doublePrecision('level').notNull(),
    at: instant('at').notNull(),
    nextAt: instant('next_at').notNull(),
  },
  (t) => [index('attempt_at').on(t.at)],
)

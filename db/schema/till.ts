import { sql } from 'drizzle-orm'
import {
  bigint,
  foreignKey,
  index,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { IDENTITY_KINDS } from '../../domain/identity.ts'
import { account } from './account.ts'
import { idText, instant } from './columns.ts'

/** What a till reads before it asks how many points: one flat object a workspace. */
export const settings = pgTable('settings', {
  workspace: idText('workspace').primaryKey(),
  entries: jsonb('entries').$type<Record<string, string | number | boolean>>().notNull(),
  updatedAt: instant('updated_at').notNull(),
})

/** What phones, cards and devices are hashed with. Never changed: what was hashed with it would be lost. */
export const memberPepper = pgTable('member_pepper', {
  workspace: idText('workspace').primaryKey(),
  pepper: text('pepper').notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
})

/** One way to recognise a member at a till. */
export const memberIdentity = pgTable(
  'member_identity',
  {
    workspace: idText('workspace').notNull(),
    id: idText('id').notNull(),
    account: idText('account').notNull(),
    kind: text('kind', { enum: IDENTITY_KINDS }).notNull(),
    // An external id as it is; of a phone or a card only the keyed hash; a device's own id.
    value: idText('value').notNull(),
    label: text('label'),
    // The newest token of a device that a till has read, and which till.
    lastStep: bigint('last_step', { mode: 'number' }),
    lastBy: text('last_by'),
    createdAt: instant('created_at').notNull().defaultNow(),
    revokedAt: instant('revoked_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    foreignKey({
      columns: [t.workspace, t.account],
      foreignColumns: [account.workspace, account.id],
    }),
    uniqueIndex('member_identity_live')
      .on(t.workspace, t.kind, t.value)
      .where(sql`revoked_at is null`),
    index('member_identity_of_account').on(t.workspace, t.account, t.id),
  ],
)

import { eq, inArray } from 'drizzle-orm'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { tierChange } from './schema/index.ts'
import { readFamily } from './transactions.ts'
import { inWorkspace } from './workspace-client.ts'

export type TierChangeRow = typeof tierChange.$inferSelect

/** A member's tiers over time, newest first; what was merged into the account is part of it. */
export const listTierChanges = (
  pool: Pool,
  workspace: string,
  account: string,
  page: PageRequest,
): Promise<Page<TierChangeRow>> =>
  inWorkspace(pool, workspace, async (db) =>
    readPage(
      db,
      tierChange,
      page,
      [
        eq(tierChange.workspace, workspace),
        inArray(tierChange.account, await readFamily(db, workspace, account)),
      ],
      true,
    ),
  )

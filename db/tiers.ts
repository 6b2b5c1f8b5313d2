import { eq, inArray } from 'drizzle-orm'
import { tierStanding } from './ledger.gen.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import type { QualifyOn, StandingRow } from './results/tier.ts'
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

export type TierStanding = {
  qualifyOn: QualifyOn
  /** Points in the smallest unit, money in minor units; null where tiers are set by hand. */
  qualifying: number | null
  next: { name: string; threshold: number } | null
  lapsesAt: Date | null
}

/** How members of programs with tiers stand between them, by account. */
export const readTierStanding = (
  pool: Pool,
  workspace: string,
  ids: string[],
): Promise<Map<string, TierStanding>> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await tierStanding(db, { workspace, accounts: ids })
    return new Map(rows.map((row) => [row.account, standingOf(row)]))
  })

export function standingOf(row: StandingRow): TierStanding {
  return {
    qualifyOn: row.qualify_on,
    qualifying: row.qualifying,
    next:
      row.next_tier === null
        ? null
        : { name: row.next_tier.name, threshold: Number(row.next_threshold) },
    lapsesAt: row.lapses_at === null ? null : new Date(row.lapses_at),
  }
}

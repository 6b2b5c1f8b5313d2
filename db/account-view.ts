import { sql } from 'drizzle-orm'
import type { AccountRow, ExpiringPoints } from './accounts.ts'
import { call } from './call.ts'
import type { Pool } from './pool.ts'
import type { StandingRow, ViewAnswer } from './results/account.ts'
import { account } from './schema/index.ts'
import { fromSnapshot } from './snapshot.ts'
import { inWorkspace } from './workspace-client.ts'

export type { ViewAnswer } from './results/account.ts'

type TierStanding = {
  qualifyOn: 'points' | 'spend' | 'custom'
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
    const { rows } = await db.execute<StandingRow>(
      sql`select * from ledger.tier_standing(${workspace}, ${`{${ids.join(',')}}`}, clock_timestamp())`,
    )
    return new Map(rows.map((row) => [row.account, standingOf(row)]))
  })

function standingOf(row: StandingRow): TierStanding {
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

export type AccountView = {
  row: AccountRow
  lots: { expiring: ExpiringPoints[]; due: number }
  pending: number
  tier: TierStanding | undefined
}

/** One account with all that is shown of it, in one round trip. Points in the smallest unit. */
export async function findAccountView(
  pool: Pool,
  workspace: string,
  id: string,
): Promise<AccountView | undefined> {
  const view = await call<ViewAnswer | null>(pool, 'account_view', [workspace, id])
  return view === null ? undefined : viewOf(view)
}

export function viewOf(view: ViewAnswer): AccountView {
  const now = new Date(view.at)
  const lots: AccountView['lots'] = { expiring: [], due: 0 }
  for (const { points, expires_at } of view.lots ?? []) {
    const expiresAt = new Date(expires_at)
    if (expiresAt <= now) lots.due += points
    else lots.expiring.push({ points, expiresAt })
  }
  const tier = view.tier === null ? undefined : standingOf(view.tier)
  return { row: fromSnapshot(account, view.account), lots, pending: view.pending, tier }
}

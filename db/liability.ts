import { sql } from 'drizzle-orm'
import { call } from './call.ts'
import type { Pool } from './pool.ts'
import type { LiabilityReport } from './results/liability.ts'
import { inWorkspace } from './workspace-client.ts'

/** As of an instant (event time), or now; null: no such program. */
export const readLiability = (pool: Pool, workspace: string, program: string, at: Date | null) =>
  call<LiabilityReport | null>(pool, 'liability_report', [
    workspace,
    program,
    at === null ? null : at.toISOString(),
  ])

/** One period's movements, in the smallest unit; `period` is its first day (UTC). */
export type LiabilityPeriod = {
  period: string
  opening: number
  earned: number
  spent: number
  expired: number
  clawed_back: number
  adjusted: number
  closing: number
  /** Minor units a point at the period's end. */
  value: number
  currency: string
  liability_minor: number
}

/** Every period from `from` to before `to` (UTC dates, YYYY-MM-DD), those without movements too. */
export const readLiabilityPeriods = (
  pool: Pool,
  workspace: string,
  program: string,
  { from, to, period }: { from: string; to: string; period: 'day' | 'month' },
): Promise<LiabilityPeriod[]> =>
  inWorkspace(pool, workspace, async (db) => {
    const { rows } = await db.execute<LiabilityPeriod>(
      sql`select period::text, opening, earned, spent, expired, clawed_back, adjusted, closing,
          value, currency, liability_minor
        from ledger.liability_periods(${workspace}, ${program}, ${from}, ${to}, ${period})`,
    )
    return rows
  })

/** Adds what is new to the daily totals; returns how many totals changed. */
export async function rollUp(pool: Pool): Promise<number> {
  return call<number>(pool, 'ledger_roll_up', [])
}

/** Every program of every workspace. */
export async function allPrograms(pool: Pool) {
  const { rows } = await pool.query<{ workspace: string; program: string }>(
    'select workspace, program from ledger.all_programs()',
  )
  return rows
}

/** Writes the snapshot event of the day that begins at `midnight` (UTC); false where it is there already. */
export async function writeSnapshot(
  pool: Pool,
  workspace: string,
  program: string,
  midnight: string,
): Promise<boolean> {
  return inWorkspace(pool, workspace, async (db) => {
    const { rows } = await db.execute<{ written: boolean }>(
      sql`select ledger.liability_snapshot(${workspace}, ${program}, ${midnight}) as written`,
    )
    return rows[0]?.written === true
  })
}

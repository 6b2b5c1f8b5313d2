import { liabilityPeriods, liabilityReport } from './ledger.gen.ts'
import type { Pool } from './pool.ts'
import { inWorkspace } from './workspace-client.ts'

/** One period's movements, in the smallest unit; `period` is its first day (UTC), `value` minor units a point at its end. */
export type LiabilityPeriod = Awaited<ReturnType<typeof liabilityPeriods>>[number]

/** As of an instant (event time), or now; null: no such program. */
export const readLiability = (pool: Pool, workspace: string, program: string, at: Date | null) =>
  liabilityReport(pool, { workspace, program, at })

/** Every period from `from` to before `to` (UTC dates, YYYY-MM-DD), those without movements too; points in the smallest unit. */
export const readLiabilityPeriods = (
  pool: Pool,
  workspace: string,
  program: string,
  { from, to, period }: { from: string; to: string; period: 'day' | 'month' },
) =>
  inWorkspace(pool, workspace, (db) =>
    liabilityPeriods(db, { workspace, program, from, to, period }),
  )

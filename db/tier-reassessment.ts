import { sql } from 'drizzle-orm'
import { call } from './call.ts'
import type { Pool } from './pool.ts'
import type { ReassessmentPage } from './results/tier.ts'
import type { Db } from './workspace-client.ts'

export type { ReassessmentPage } from './results/tier.ts'

/** Calls for a walk over the program's members and its run, in the transaction that changes its tiers. */
export async function startReassessment(
  tx: Db,
  workspace: string,
  program: string,
  at: Date,
): Promise<void> {
  await tx.execute(
    sql`select ledger.tier_reassess_start(${workspace}, ${program}, ${at.toISOString()})`,
  )
}

export const readReassessmentPage = (
  pool: Pool,
  workspace: string,
  program: string,
  most: number,
) => call<ReassessmentPage>(pool, 'tier_reassess_page', [workspace, program, most])

/** Judges one member by the tiers as they are now; whether that changed the tier. Safe to repeat. */
export const reassessAccount = (pool: Pool, workspace: string, account: string, at: string) =>
  call<boolean>(pool, 'tier_reassess', [workspace, account, at])

type ReassessmentNote = {
  workspace: string
  program: string
  revision: number
  /** The last account judged; null: none more. */
  through: string | null
  judged: number
  ended: boolean
  at: string
}

/** False where the tiers were changed meanwhile: the walk starts over. */
export const noteReassessment = (pool: Pool, n: ReassessmentNote) =>
  call<boolean>(pool, 'tier_reassess_note', [
    n.workspace,
    n.program,
    n.revision,
    n.through,
    n.judged,
    n.ended,
    n.at,
  ])

/** Tells the run of a walk that stands still to check its row, or starts it again. */
export const resumeReassessment = (pool: Pool, workspace: string, program: string) =>
  call<void>(pool, 'tier_reassess_outbox', [workspace, program])

/** Walks that nobody works on, across workspaces; the longest idle first. */
export async function stalledReassessments(pool: Pool, before: string, limit: number, skip = 0) {
  const { rows } = await pool.query<{ workspace: string; program: string }>(
    'select workspace, program from ledger.reassessments_stalled($1, $2, $3)',
    [before, limit, skip],
  )
  return rows
}

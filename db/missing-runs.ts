import type { Pool } from './pool.ts'

/** A workflow that something of the database waits for. */
export type ExpectedRun = { workspace: string; workflow_id: string; workflow_type: string }

/** Those of all workspaces whose workflow was sent all that there is, so that each has a run. */
export async function findExpectedRuns(pool: Pool): Promise<ExpectedRun[]> {
  const { rows } = await pool.query<ExpectedRun>(
    'select workspace, workflow_id, workflow_type from ledger.waiting_workflows()',
  )
  return rows
}

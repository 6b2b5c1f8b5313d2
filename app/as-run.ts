import { asyncLocalStorage } from '@temporalio/activity'
import { AsRun } from '../db/border.ts'
import type { Pool } from '../db/pool.ts'

/**
 * Where a ledger function is called of what has a workflow: in an activity as the run that it is of, which knows
 * what it does to its own row, so that the outbox does not signal it; in a request as nobody's.
 */
export function asRun(pool: Pool): Pool | AsRun {
  const run = asyncLocalStorage.getStore()?.info.workflowExecution?.workflowId
  return run === undefined ? pool : new AsRun(pool, run)
}

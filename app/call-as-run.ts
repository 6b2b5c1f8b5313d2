import { asyncLocalStorage } from '@temporalio/activity'
import { call, callOfRun } from '../db/call.ts'
import type { Pool } from '../db/pool.ts'

/**
 * Calls a ledger function: in an activity as the run that it is of, which knows what it does to its own row,
 * so that the outbox does not signal it; in a request as nobody's.
 */
export function callAsRun<Result>(
  pool: Pool,
  name: string,
  args: [workspace: string, subject: string, ...unknown[]],
): Promise<Result> {
  const run = asyncLocalStorage.getStore()?.info.workflowExecution?.workflowId
  return run === undefined ? call(pool, name, args) : callOfRun(pool, run, name, args)
}

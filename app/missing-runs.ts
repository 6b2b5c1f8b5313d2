import { WorkflowNotFoundError } from '@temporalio/client'
import { waitingWorkflows } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import { type Engine, within } from '../temporal/engine.ts'

/** A workflow that something of the database waits for, and that was sent all there is: it has a run. */
type ExpectedRun = Awaited<ReturnType<typeof waitingWorkflows>>[number]

// What visibility did not list is asked for itself, so many at once.
const AT_ONCE = 10

/**
 * What waits in the database and has neither a run nor an outbox row that will begin one. Visibility is paged
 * over and lags behind: what it does not list is asked for, and must still wait afterwards.
 */
export async function findMissingRuns(pool: Pool, engine: Engine): Promise<ExpectedRun[]> {
  const waiting = await waitingWorkflows(pool, {})
  if (waiting.length === 0) return []
  const running = await runningWorkflows(engine)
  const unlisted = waiting.filter(({ workflow_id }) => !running.has(workflow_id))
  const missing: ExpectedRun[] = []
  for (let from = 0; from < unlisted.length; from += AT_ONCE) {
    const some = unlisted.slice(from, from + AT_ONCE)
    const found = await Promise.all(some.map(({ workflow_id }) => isRunning(engine, workflow_id)))
    missing.push(...some.filter((_, index) => !found[index]))
  }
  if (missing.length === 0) return []
  // a run that ended meanwhile, or a row that was changed, is none
  const still = new Set((await waitingWorkflows(pool, {})).map(({ workflow_id }) => workflow_id))
  return missing.filter(({ workflow_id }) => still.has(workflow_id))
}

async function runningWorkflows(engine: Engine): Promise<Set<string>> {
  const query = `ExecutionStatus = 'Running' AND TaskQueue = '${engine.taskQueue}'`
  const ids = new Set<string>()
  const runs = engine.client.workflow.list({ query })[Symbol.asyncIterator]()
  for (;;) {
    const next = await within(engine, () => runs.next())
    if (next.done === true) return ids
    ids.add(next.value.workflowId)
  }
}

async function isRunning(engine: Engine, workflowId: string): Promise<boolean> {
  try {
    const { status } = await within(engine, () =>
      engine.client.workflow.getHandle(workflowId).describe(),
    )
    return status.name === 'RUNNING'
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false
    throw error
  }
}

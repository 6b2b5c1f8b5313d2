import type { Engine } from './engine.ts'
import { WORKFLOW } from './names.ts'
import { within } from './within.ts'

/** Whether the batch of a date that many accounts share is at work now, by the visibility store. */
export async function isExpiryBatchRunning(engine: Engine): Promise<boolean> {
  const query = `WorkflowType = '${WORKFLOW.expiryBatch}' AND ExecutionStatus = 'Running' AND TaskQueue = '${engine.taskQueue}'`
  const { count } = await within(engine, () => engine.client.workflow.count(query))
  return count > 0
}

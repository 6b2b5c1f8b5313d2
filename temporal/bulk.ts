import {
  type BulkInput,
  type BulkWorkflow,
  bulkChanged,
  bulkWorkflowId,
  WORKFLOW,
} from '../workflows/messages.ts'
import { type Engine, withinDeadline } from './engine.ts'

/** Starts the run of an import or a reversal, or tells the one there is to look at its row again. */
export async function tellBulk(engine: Engine, input: BulkInput): Promise<void> {
  await withinDeadline(engine, () =>
    engine.client.workflow.signalWithStart<BulkWorkflow>(WORKFLOW.bulkRun, {
      workflowId: bulkWorkflowId(input.bulk),
      taskQueue: engine.taskQueue,
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      signal: bulkChanged,
      signalArgs: [],
    }),
  )
}

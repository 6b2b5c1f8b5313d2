import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import {
  type AccountExpiryInput,
  type AccountExpiryWorkflow,
  accountExpiryWorkflowId,
  expiryChanged,
  WORKFLOW,
} from '../workflows/messages.ts'
import { type Engine, withinDeadline } from './engine.ts'

/**
 * Arms an account's expiry run to its first date. Where it has one already, that is woken and
 * looks anew: it may sleep past the new date.
 */
export async function armExpiry(
  engine: Engine,
  input: AccountExpiryInput,
  delayMs: number,
): Promise<void> {
  const options = {
    workflowId: accountExpiryWorkflowId(input.workspace, input.account),
    taskQueue: engine.taskQueue,
    args: [input] as [AccountExpiryInput],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
  }
  try {
    await withinDeadline(engine, () =>
      engine.client.workflow.start<AccountExpiryWorkflow>(WORKFLOW.accountExpiry, {
        ...options,
        workflowIdConflictPolicy: 'FAIL',
        startDelay: Math.max(Math.ceil(delayMs), 0),
      }),
    )
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
    await withinDeadline(engine, () =>
      engine.client.workflow.signalWithStart<AccountExpiryWorkflow>(WORKFLOW.accountExpiry, {
        ...options,
        workflowIdConflictPolicy: 'USE_EXISTING',
        signal: expiryChanged,
        signalArgs: [],
      }),
    )
  }
}

/** Whether the batch of a date that many accounts share is at work now, by the visibility store. */
export async function isExpiryBatchRunning(engine: Engine): Promise<boolean> {
  const query = `WorkflowType = '${WORKFLOW.expiryBatch}' AND ExecutionStatus = 'Running' AND TaskQueue = '${engine.taskQueue}'`
  const { count } = await withinDeadline(engine, () => engine.client.workflow.count(query))
  return count > 0
}

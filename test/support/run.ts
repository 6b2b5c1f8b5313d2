import type { WorkflowHandle } from '@temporalio/client'
import { vi } from 'vitest'
import type { Engine } from '../../temporal/engine.ts'

/** The run of a workflow, once there is one: it is started in the background, after the commit that asks for it. */
export async function startedRun({ client }: Pick<Engine, 'client'>, workflowId: string) {
  const handle = client.workflow.getHandle(workflowId)
  await vi.waitFor(() => handle.describe(), { timeout: 20_000 })
  return handle
}

/** How often a run was signalled, and how many tasks it has had: none where it waits for its delayed start. */
export async function signalsAndTasks(run: Pick<WorkflowHandle, 'fetchHistory'>) {
  const { events } = await run.fetchHistory()
  return {
    signals: events?.filter((event) => event.workflowExecutionSignaledEventAttributes).length,
    tasks: events?.filter((event) => event.workflowTaskScheduledEventAttributes).length,
  }
}

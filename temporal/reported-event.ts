import type { AcceptedEvent } from '../domain/reported-event.ts'
import { type Engine, within } from './engine.ts'
import { reportedEventWorkflowId, WORKFLOW } from './names.ts'

/**
 * Hands an event over that its request could not finish; a run of it that there is already goes on. Not by the
 * outbox: the request could not finish because it lost the database, which is where a row would be written.
 */
export async function finishReportedEvent(engine: Engine, input: AcceptedEvent): Promise<void> {
  await within(engine, () =>
    engine.client.workflow.start(WORKFLOW.reportedEvent, {
      workflowId: reportedEventWorkflowId(input.workspace, input.eventId),
      taskQueue: engine.taskQueue,
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    }),
  )
}

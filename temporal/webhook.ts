import type { Engine } from './engine.ts'
import { SIGNAL, WORKFLOW, webhookWorkflowId } from './names.ts'
import { within } from './within.ts'

/** Signals an endpoint's run, or starts it: something is due. */
export async function signalEndpoint(
  engine: Engine,
  input: { workspace: string; endpoint: string },
): Promise<void> {
  await within(engine, () =>
    engine.client.workflow.signalWithStart(WORKFLOW.webhook, {
      workflowId: webhookWorkflowId(input.endpoint),
      taskQueue: engine.taskQueue,
      args: [input],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      signal: SIGNAL.deliveriesDue,
      signalArgs: [],
    }),
  )
}

import {
  nudged,
  type WebhookInput,
  type WebhookWorkflow,
  WORKFLOW,
  webhookWorkflowId,
} from '../workflows/messages.ts'
import { type Engine, withinDeadline } from './engine.ts'

/** Wakes an endpoint's run, or starts it: something is due. */
export async function nudgeEndpoint(engine: Engine, input: WebhookInput): Promise<void> {
  await withinDeadline(engine, () =>
    engine.client.workflow.signalWithStart<WebhookWorkflow>(WORKFLOW.webhook, {
      workflowId: webhookWorkflowId(input.endpoint),
      taskQueue: engine.taskQueue,
      args: [input],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      signal: nudged,
      signalArgs: [],
    }),
  )
}

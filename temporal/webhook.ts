import {
  nudged,
  type WebhookInput,
  type WebhookWorkflow,
  WORKFLOW,
  webhookWorkflowId,
} from '../workflows/messages.ts'
import type { Engine } from './engine.ts'
import { within } from './within.ts'

const CALL_MS = 3_000

/** Signals an endpoint's run, or starts it: something is due. */
export async function signalEndpoint(engine: Engine, input: WebhookInput): Promise<void> {
  await within(CALL_MS, engine, () =>
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

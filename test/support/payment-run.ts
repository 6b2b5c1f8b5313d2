import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import { type Engine, within } from '../../temporal/engine.ts'
import { paymentWorkflowId, WORKFLOW } from '../../temporal/names.ts'
import type { PaymentInput, PaymentWorkflow } from '../../workflows/inputs.ts'
import { paymentTold } from '../../workflows/messages.ts'

const CALL_MS = 10_000 // as the release before waited

/** A payment's run as the release before started it: before the payment was written. */
export async function startPaymentDelayed(
  engine: Engine,
  input: PaymentInput,
  delayMs: number,
): Promise<void> {
  try {
    await within(
      engine,
      () =>
        engine.client.workflow.start<PaymentWorkflow>(WORKFLOW.payment, {
          ...startOptions(engine, input),
          workflowIdConflictPolicy: 'FAIL',
          startDelay: Math.ceil(delayMs),
        }),
      CALL_MS,
    )
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
  }
}

/** Signals it as the release before did: the inbox holds news of it. */
export async function signalPayment(engine: Engine, input: PaymentInput): Promise<void> {
  await within(
    engine,
    () =>
      engine.client.workflow.signalWithStart<PaymentWorkflow>(WORKFLOW.payment, {
        ...startOptions(engine, input),
        workflowIdConflictPolicy: 'USE_EXISTING',
        signal: paymentTold,
        signalArgs: [],
      }),
    CALL_MS,
  )
}

function startOptions(engine: Engine, input: PaymentInput) {
  return {
    workflowId: paymentWorkflowId(input.workspace, input.payment),
    taskQueue: engine.taskQueue,
    args: [input] as [PaymentInput],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
  }
}

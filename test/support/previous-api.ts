import {
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowStartOptions,
} from '@temporalio/client'
import { TypedSearchAttributes, type UpdateDefinition } from '@temporalio/common'
import { type Engine, within } from '../../temporal/engine.ts'
import { RedemptionAccount, RedemptionReward, WORKFLOW } from '../../temporal/names.ts'
import type {
  FulfillmentInput,
  RedemptionInput,
  RunInput,
  RunWorkflow,
} from '../../workflows/inputs.ts'
import {
  created,
  type MessageAnswer,
  type Operation,
  paymentCompleted,
  paymentFailed,
} from '../../workflows/messages.ts'

// What an API of the release before says to a redemption's run, which one of this release may be.

const CALL_MS = 10_000 // as it waited

/** Started before the row was written, delayed to when the points would have to return. False where it was already. */
export async function startRedemptionDelayed(
  engine: Engine,
  input: RunInput,
  delayMs: number,
): Promise<boolean> {
  try {
    await within(
      engine,
      () =>
        engine.client.workflow.start<RunWorkflow>(typeOf(input), {
          ...startOptions(engine, input),
          workflowIdConflictPolicy: 'FAIL',
          startDelay: Math.ceil(delayMs),
        }),
      CALL_MS,
    )
    return true
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false
    throw error
  }
}

/** Signalled to read its row again, or a fresh one where that has ended: the row is there now, or will not come. */
export const signalCreated = (engine: Engine, input: RunInput): Promise<void> =>
  signal(engine, input, created.name, [])

type AttachedRedemption = { id: string; account: string; reward: string; expires_at: string }

/** Tells a redemption that its payment has ended, well or badly. */
export function signalPaymentOutcome(
  engine: Engine,
  workspace: string,
  attached: AttachedRedemption,
  payment: { id: string; status: string },
): Promise<void> {
  const message = { payment: payment.id, status: payment.status }
  const input = inputOf(workspace, attached, attached.expires_at)
  const outcome = payment.status === 'completed' ? paymentCompleted : paymentFailed
  return signal(engine, input, outcome.name, [message])
}

/**
 * Sends an update and waits for its answer: to the delayed run, the running one, or a fresh one
 * where that has finished. A repeat carries the same operation, and the ledger finds the first one's
 * outcome; it is no update id, for Temporal would repeat a refusal too, which is to be judged anew.
 */
export function askRedemption<Ask extends Operation>(
  engine: Engine,
  input: RunInput,
  update: UpdateDefinition<MessageAnswer, [Ask]>,
  ask: Ask,
): Promise<MessageAnswer> {
  return within(
    engine,
    () =>
      engine.client.workflow.executeUpdateWithStart(update, {
        args: [ask],
        startWorkflowOperation: new WithStartWorkflowOperation<RunWorkflow>(typeOf(input), {
          ...startOptions(engine, input),
          workflowIdConflictPolicy: 'USE_EXISTING',
        }),
      }),
    CALL_MS,
  )
}

/** The start input of a redemption's run, from its row. */
function inputOf(
  workspace: string,
  { id, account, reward }: { id: string; account: string; reward: string },
  releasesAt: string,
): RedemptionInput {
  return { workspace, redemption: id, account, reward, releasesAt }
}

/** The same of an item's run. */
export function fulfillmentInputOf(
  workspace: string,
  { id, account, reward }: { id: string; account: string; reward: string },
  deadline: string,
): FulfillmentInput {
  return { workspace, redemption: id, account, reward, deadline }
}

const typeOf = (input: RunInput) =>
  'deadline' in input ? WORKFLOW.fulfillment : WORKFLOW.redemption

async function signal(
  engine: Engine,
  input: RunInput,
  name: string,
  signalArgs: unknown[],
): Promise<void> {
  await within(
    engine,
    () =>
      engine.client.workflow.signalWithStart<RunWorkflow, unknown[]>(typeOf(input), {
        ...startOptions(engine, input),
        workflowIdConflictPolicy: 'USE_EXISTING',
        signal: name,
        signalArgs,
      }),
    CALL_MS,
  )
}

function startOptions(engine: Engine, input: RunInput) {
  return {
    workflowId: input.redemption,
    taskQueue: engine.taskQueue,
    args: [input],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    typedSearchAttributes: new TypedSearchAttributes([
      { key: RedemptionAccount, value: input.account },
      { key: RedemptionReward, value: input.reward },
    ]),
    // a delayed run has executed nothing: this is what an operator reads until it does
    ...('deadline' in input && {
      staticSummary: `item to be shipped by ${input.deadline}`,
    }),
  } satisfies Partial<WorkflowStartOptions<RunWorkflow>>
}

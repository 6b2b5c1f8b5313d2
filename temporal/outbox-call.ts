import { WorkflowExecutionAlreadyStartedError, type WorkflowStartOptions } from '@temporalio/client'
import { TypedSearchAttributes } from '@temporalio/common'
import type { OutboxRow } from '../db/outbox.ts'
import type { Engine } from './engine.ts'
import { RedemptionAccount, RedemptionReward, SIGNAL, WORKFLOW } from './names.ts'

// One run for each row: these never begin again. Every other workflow ends and begins again under its id.
const ONCE: readonly string[] = [WORKFLOW.redemption, WORKFLOW.fulfillment]

/**
 * Signals the workflow of a row that waits, or starts one to its date where none runs, whatever became of an
 * earlier one: after a restore the earlier one is of another time.
 */
export const resignalRow = (engine: Engine, row: OutboxRow): Promise<void> =>
  sendRow(engine, row, row.start_in_ms, 'ALLOW_DUPLICATE')

/**
 * Starts or signals the workflow of an outbox row, a new run with a delay of `startInMs`. Harmless to repeat.
 */
export async function sendRow(
  { client, taskQueue }: Engine,
  row: OutboxRow,
  startInMs: number = row.start_in_ms,
  reuse?: 'ALLOW_DUPLICATE',
): Promise<void> {
  const { workflow_type: type, change, facts, revision } = row
  const once = ONCE.includes(type)
  const options = {
    workflowId: row.workflow_id,
    taskQueue,
    args: [{ ...row.input, facts, revision }],
    ...(startInMs > 0 && change !== 'ended' && { startDelay: Math.ceil(startInMs) }),
    ...(once && redemptionOptions(row)),
  } satisfies Partial<WorkflowStartOptions>
  try {
    if (once && change === 'new') {
      await client.workflow.start(type, { ...options, workflowIdReusePolicy: 'REJECT_DUPLICATE' })
    } else {
      await client.workflow.signalWithStart(type, {
        ...options,
        workflowIdReusePolicy: reuse ?? (once ? reuseOfOne(change) : 'ALLOW_DUPLICATE'),
        workflowIdConflictPolicy: 'USE_EXISTING',
        signal: SIGNAL.rowChanged,
        signalArgs: [{ revision, facts }],
      })
    }
  } catch (error) {
    // running, delayed or closed: it was sent before
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
  }
}

const reuseOfOne = (change: OutboxRow['change']) =>
  change === 'ended' ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE_FAILED_ONLY'

/** What an operator filters by, and reads until a delayed run executes. */
function redemptionOptions({ input }: OutboxRow) {
  const text = (name: string) => `${input[name]}`
  return {
    typedSearchAttributes: new TypedSearchAttributes([
      { key: RedemptionAccount, value: text('account') },
      { key: RedemptionReward, value: text('reward') },
    ]),
    ...('deadline' in input && { staticSummary: `item to be shipped by ${text('deadline')}` }),
  }
}

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import {
  reviewMoved,
  type TierReassessmentInput,
  type TierReassessmentWorkflow,
  type TierReviewInput,
  type TierReviewWorkflow,
  tierReassessmentWorkflowId,
  tierReviewWorkflowId,
  tiersChanged,
  WORKFLOW,
} from '../workflows/messages.ts'
import { type Engine, withinDeadline } from './engine.ts'

/** Arms a member's tier review to its date, or tells the one there is of it. */
export async function armTierReview(
  engine: Engine,
  input: TierReviewInput,
  delayMs: number,
): Promise<void> {
  const options = {
    workflowId: tierReviewWorkflowId(input.workspace, input.account),
    taskQueue: engine.taskQueue,
    args: [input] as [TierReviewInput],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
  }
  try {
    await withinDeadline(engine, () =>
      engine.client.workflow.start<TierReviewWorkflow>(WORKFLOW.tierReview, {
        ...options,
        workflowIdConflictPolicy: 'FAIL',
        startDelay: Math.max(Math.ceil(delayMs), 1),
      }),
    )
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
    await withinDeadline(engine, () =>
      engine.client.workflow.signalWithStart<TierReviewWorkflow, [string]>(WORKFLOW.tierReview, {
        ...options,
        workflowIdConflictPolicy: 'USE_EXISTING',
        signal: reviewMoved,
        signalArgs: [input.reviewsAt],
      }),
    )
  }
}

/** Starts the walk over a program's members after a change of its tiers, or tells the one under way. */
export async function tellReassessment(
  engine: Engine,
  input: TierReassessmentInput,
): Promise<void> {
  await withinDeadline(engine, () =>
    engine.client.workflow.signalWithStart<TierReassessmentWorkflow>(WORKFLOW.tierReassessment, {
      workflowId: tierReassessmentWorkflowId(input.workspace, input.program),
      taskQueue: engine.taskQueue,
      args: [input],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      signal: tiersChanged,
      signalArgs: [],
    }),
  )
}

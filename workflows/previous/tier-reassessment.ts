import {
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import type { TierReassessmentActivities } from '../../activities/tier.ts'
import type { TierReassessmentInput, TierReassessmentWorkflow } from '../inputs.ts'
import { tiersChanged } from '../messages.ts'
import { onRowChanged } from './messages.ts'

// Retried without limit: judging a member again changes nothing.
const { reassessTiers } = proxyActivities<TierReassessmentActivities>({
  startToCloseTimeout: '1m',
  heartbeatTimeout: '20s',
  retry: { initialInterval: '500ms', maximumInterval: '30s' },
})

/**
 * After a change of a program's tiers: every member is judged by them, in id order, some seconds'
 * worth a turn. Where it stands is in the database, so that any run goes on where the last one
 * stopped. A change on the way starts the walk over.
 */
export async function tierReassessment(
  input: TierReassessmentInput,
): ReturnType<TierReassessmentWorkflow> {
  let signalsReceived = 0
  let changed = input.changed ?? 0
  setHandler(tiersChanged, () => {
    signalsReceived++
  })
  onRowChanged(() => {
    signalsReceived++
  })
  for (;;) {
    const signalsHandled = signalsReceived
    const turn = await reassessTiers({ workspace: input.workspace, program: input.program })
    changed += turn.changed
    const summary = `${turn.judged} members judged, ${changed} changes of tier.`
    setCurrentDetails(summary)
    if (turn.ended && signalsReceived === signalsHandled) {
      return { program: input.program, judged: turn.judged, changed, story: summary }
    }
    if (workflowInfo().continueAsNewSuggested) {
      await continueAsNew<TierReassessmentWorkflow>({ ...input, changed })
    }
  }
}

import {
  continueAsNew,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow'
import type { TierReassessmentActivities } from '../activities/tier.ts'
import type { TierReassessmentInput, TierReassessmentWorkflow } from './inputs.ts'
import { Mailbox } from './mailbox.ts'
import { tiersChanged } from './messages.ts'
import { tierReassessment as previousTierReassessment } from './previous/tier-reassessment.ts'

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
  if (!patched('row-changed')) return previousTierReassessment(input)
  const { workspace, program } = input
  const mailbox = new Mailbox<unknown>(null, input.revision)
  setHandler(tiersChanged, () => mailbox.receive())
  let changed = input.changed ?? 0
  for (;;) {
    mailbox.handle()
    const turn = await reassessTiers({ workspace, program })
    changed += turn.changed
    const summary = `${turn.judged} members judged, ${changed} changes of tier.`
    setCurrentDetails(summary)
    if (turn.ended && mailbox.isQuiet())
      return { program, judged: turn.judged, changed, story: summary }
    if (mailbox.shouldContinueAsNew()) {
      const { revision } = mailbox
      await continueAsNew<TierReassessmentWorkflow>({ workspace, program, changed, revision })
    }
  }
}

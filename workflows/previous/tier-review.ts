import {
  condition,
  continueAsNew,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import type { TierActivities } from '../../activities/tier.ts'
import type { TierReviewEnding, TierReviewFacts, TierReviewInput } from '../inputs.ts'
import { reviewMoved } from '../messages.ts'
import { onRowChanged } from './messages.ts'

const write = proxyLocalActivities<TierActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '100ms', maximumInterval: '30s' },
})

/**
 * Watches over one member's tier: sleeps until the next date at which it could fall, has it judged by the
 * ledger and sleeps again, until nothing can fall any more. Promotion is not its business: that happens
 * in the transaction that earns it. Started with a delay up to the date, or without; signalled an earlier
 * date by `reviewMoved`.
 */
export async function tierReview(input: TierReviewInput): Promise<TierReviewEnding> {
  let reviewsAt = input.reviewsAt
  setHandler(reviewMoved, (at) => {
    if (at < reviewsAt) reviewsAt = at
  })
  onRowChanged<TierReviewFacts>(({ facts: { reviewsAt: at } }) => {
    if (at !== null && at < reviewsAt) reviewsAt = at
  })
  for (;;) {
    await untilDue(() => reviewsAt)
    const { tier, reviewAt } = await write.reviewTier({
      workspace: input.workspace,
      account: input.account,
      at: new Date().toISOString(),
    })
    if (reviewAt === null) return ending(input, tier)
    reviewsAt = reviewAt
    if (workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof tierReview>({ ...input, reviewsAt })
  }
}

async function untilDue(due: () => string): Promise<void> {
  for (;;) {
    const until = due()
    const leftMs = Date.parse(until) - Date.now()
    if (leftMs <= 0) return
    setCurrentDetails(`The tier could fall at ${until}, unless enough is earned before.`)
    await condition(() => due() !== until, leftMs, { summary: `tier could fall at ${until}` })
  }
}

function ending(input: TierReviewInput, tier: string | null): TierReviewEnding {
  const summary =
    tier === null
      ? 'No tier to watch over any more.'
      : `Tier ${tier} cannot fall by itself; nothing to watch over.`
  setCurrentDetails(summary)
  return { account: input.account, tier, story: summary }
}

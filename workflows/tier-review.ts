import { continueAsNew, patched, setCurrentDetails, setHandler } from '@temporalio/workflow'
import type { TierActivities } from '../activities/tier.ts'
import type {
  TierReviewEnding,
  TierReviewFacts,
  TierReviewInput,
  TierReviewWorkflow,
} from './inputs.ts'
import { isDue, Mailbox } from './mailbox.ts'
import { reviewMoved } from './messages.ts'
import { tierReview as previousTierReview } from './previous/tier-review.ts'
import { writes } from './write.ts'

const write = writes<TierActivities>()

/**
 * Watches over one member's tier: sleeps until the next date at which it could fall, has it judged by the
 * ledger and sleeps again, until nothing can fall any more. Promotion is not its business: that happens
 * in the transaction that earns it. An earlier date is signalled.
 */
export async function tierReview(input: TierReviewInput): Promise<TierReviewEnding> {
  if (!patched('row-changed')) return previousTierReview(input)
  const { workspace, account } = input
  const mailbox = new Mailbox<TierReviewFacts>(input.facts ?? input, input.revision)
  setHandler(reviewMoved, (reviewsAt) => {
    const { reviewsAt: known } = mailbox.facts
    if (known === null || reviewsAt < known) mailbox.facts = { reviewsAt }
    mailbox.receive()
  })
  let tier: string | null = null

  const review = async () => {
    const at = new Date().toISOString()
    const state = await write(({ reviewTier }) => reviewTier({ workspace, account, at }))
    if (state === null) return
    tier = state.tier
    mailbox.learn({ reviewsAt: state.reviewAt })
  }

  for (;;) {
    mailbox.handle()
    const { reviewsAt } = mailbox.facts
    if (reviewsAt === null) return ending(account, tier)
    if (isDue(reviewsAt)) {
      await mailbox.act(review)
    } else {
      setCurrentDetails(`The tier could fall at ${reviewsAt}, unless enough is earned before.`)
      if (mailbox.shouldContinueAsNew()) {
        const { facts, revision } = mailbox
        await continueAsNew<TierReviewWorkflow>({ ...input, reviewsAt, facts, revision })
      }
      await mailbox.newsOr(Date.parse(reviewsAt), `tier could fall at ${reviewsAt}`)
    }
  }
}

function ending(account: string, tier: string | null): TierReviewEnding {
  const summary =
    tier === null
      ? 'No tier to watch over any more.'
      : `Tier ${tier} cannot fall by itself; nothing to watch over.`
  setCurrentDetails(summary)
  return { account, tier, story: summary }
}

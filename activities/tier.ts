import {
  markTierReviewArmed,
  reviewAccountTier,
  unarmedTierReviews,
} from '../db/account-changes.ts'
import { armTierReview } from '../temporal/tier-review.ts'
import type { Dependencies } from './dependencies.ts'
import { failuresToStandardError } from './failures.ts'
import { workOff } from './rows.ts'

/** What a review found: the tier now, and when to look again (ISO 8601; null: never). */
export type TierState = { readonly tier: string | null; readonly reviewAt: string | null }

export type TierActivities = ReturnType<typeof tierActivities>

// One pass arms so many at once; a promotion's first review is weeks away, so that minutes do not matter.
const BATCH = 200
// And begins no further page after this: the activity has 50 s.
const TURN_MS = 30_000

/** The writers of tiers outside a member's own transactions. */
export function tierActivities({
  pool,
  engine,
  onFailure = failuresToStandardError,
}: Dependencies) {
  return {
    reviewTier: async ({
      workspace,
      account,
      at,
    }: {
      workspace: string
      account: string /** ISO 8601 */
      at: string
    }) => {
      const { tier, review_at } = await reviewAccountTier(pool, workspace, account, at)
      return {
        tier,
        reviewAt: review_at === null ? null : new Date(review_at).toISOString(),
      } satisfies TierState
    },

    /**
     * Arms the reviews that promotions have called for since the last pass. The date is written with the
     * promotion, so that none is ever lost; it is marked only once its workflow knows it.
     */
    armTierReviews: async (): Promise<number> => {
      const untilMs = performance.now() + TURN_MS
      const { done } = await workOff(
        (limit, skip) => unarmedTierReviews(pool, limit, skip),
        async ({ workspace, id, tier_review_at: at }) => {
          const input = { workspace, account: id, reviewsAt: at.toISOString() }
          await armTierReview(engine, input, at.getTime() - Date.now())
          await markTierReviewArmed(pool, workspace, id, at)
        },
        { kind: 'tier_review_start', onFailure, most: BATCH, untilMs },
      )
      return done
    },
  }
}

import { reviewAccountTier } from '../db/account-changes.ts'
import type { Dependencies } from './dependencies.ts'

/** What a review found: the tier now, and when to check again (ISO 8601; null: never). */
type TierState = { readonly tier: string | null; readonly reviewAt: string | null }

type Who = { workspace: string; account: string /** ISO 8601 */; at: string }

/** The writer of tiers outside a member's own transactions. */
export function tierCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    reviewTier: async ({ workspace, account, at }: Who): Promise<TierState> => {
      const { tier, review_at } = await reviewAccountTier(pool, workspace, account, at)
      return { tier, reviewAt: review_at === null ? null : new Date(review_at).toISOString() }
    },
  }
}

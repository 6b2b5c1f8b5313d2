import type { Dependencies } from '../app/dependencies.ts'
import { tierCommands } from '../app/tiers.ts'

export type TierActivities = ReturnType<typeof tierActivities>

/** What the review of a member's tier does. */
export function tierActivities(dependencies: Pick<Dependencies, 'pool'>) {
  const { reviewTier } = tierCommands(dependencies)
  return { reviewTier }
}

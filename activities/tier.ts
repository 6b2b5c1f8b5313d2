import { heartbeat } from '@temporalio/activity'
import type { Dependencies } from '../app/dependencies.ts'
import { tierCommands, tierReassessmentCommands } from '../app/tiers.ts'

export type TierActivities = ReturnType<typeof tierActivities>

/** What the review of a member's tier does. */
export function tierActivities(dependencies: Pick<Dependencies, 'pool'>) {
  const { reviewTier } = tierCommands(dependencies)
  return { reviewTier }
}

export type TierReassessmentActivities = ReturnType<typeof tierReassessmentActivities>

/** What the walk over a program's members does. */
export function tierReassessmentActivities(dependencies: Pick<Dependencies, 'pool' | 'onFailure'>) {
  const { reassessTiers } = tierReassessmentCommands(dependencies)
  return {
    reassessTiers: (walk: { workspace: string; program: string }) => reassessTiers(walk, heartbeat),
  }
}

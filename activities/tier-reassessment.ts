import { heartbeat } from '@temporalio/activity'
import type { Dependencies } from '../app/dependencies.ts'
import { tierReassessmentCommands } from '../app/tiers.ts'

export type TierReassessmentActivities = ReturnType<typeof tierReassessmentActivities>

/** What the walk over a program's members does. */
export function tierReassessmentActivities(dependencies: Pick<Dependencies, 'pool' | 'onFailure'>) {
  const { reassessTiers } = tierReassessmentCommands(dependencies)
  return {
    reassessTiers: (walk: { workspace: string; program: string }) => reassessTiers(walk, heartbeat),
  }
}

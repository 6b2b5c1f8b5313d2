import type { Dependencies } from '../app/dependencies.ts'
import { liabilityCommands } from '../app/liability.ts'

export type LiabilityActivities = ReturnType<typeof liabilityActivities>

/** What the roll-up of the ledger and the daily snapshot do. */
export function liabilityActivities(dependencies: Pick<Dependencies, 'pool' | 'onFailure'>) {
  const { rollUpLedger, snapshotLiability } = liabilityCommands(dependencies)
  return { rollUpLedger, snapshotLiability }
}

import { allPrograms, rollUp, writeSnapshot } from '../db/liability.ts'
import type { Dependencies } from './dependencies.ts'

export type LiabilityActivities = ReturnType<typeof liabilityActivities>

/** The writers of totals and snapshots. */
export function liabilityActivities({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /** Returns how many totals changed; one at a time, what another counts is counted. */
    rollUpLedger: () => rollUp(pool),

    /** Returns how many events were written: one for each program and midnight (ISO 8601, UTC). */
    snapshotLiability: async ({ midnight }: { midnight: string }): Promise<number> => {
      let written = 0
      for (const { workspace, program } of await allPrograms(pool)) {
        if (await writeSnapshot(pool, workspace, program, midnight)) written++
      }
      return written
    },
  }
}

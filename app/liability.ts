import { allPrograms, ledgerRollUp, liabilitySnapshot } from '../db/ledger.gen.ts'
import { inWorkspace } from '../db/workspace-client.ts'
import type { Dependencies } from './dependencies.ts'
import { failuresToStandardError } from './failures.ts'
import { eachRow } from './rows.ts'

/** The writers of totals and snapshots. */
export function liabilityCommands({
  pool,
  onFailure = failuresToStandardError,
}: Pick<Dependencies, 'pool' | 'onFailure'>) {
  return {
    /** Returns how many totals changed; one at a time, what another counts is counted. */
    rollUpLedger: () => ledgerRollUp(pool, {}),

    /**
     * Returns how many events were written: one for each program and midnight (ISO 8601, UTC). Throws
     * once every program had its turn where one has no snapshot: tried again, only that one is written.
     */
    snapshotLiability: async ({ midnight }: { midnight: string }): Promise<number> => {
      let written = 0
      const { passedOver } = await eachRow(
        await allPrograms(pool, {}),
        async ({ workspace, program }) => {
          const snapshot = { workspace, program, midnight }
          if (await inWorkspace(pool, workspace, (db) => liabilitySnapshot(db, snapshot))) written++
        },
        { kind: 'liability_snapshot', onFailure },
      )
      if (passedOver > 0) throw new Error(`${passedOver} programs have no snapshot of ${midnight}`)
      return written
    },
  }
}

import { databaseNow } from '../db/clock.ts'
import { creditAccountExpire, creditsOverdue } from '../db/ledger.gen.ts'
import type { Dependencies } from './dependencies.ts'
import { failuresToStandardError } from './failures.ts'
import { workOff } from './rows.ts'

// One activity works for this long, then the workflow says how far it is.
const TURN_MS = 10_000

/** The writers of store credit that no request asks for. */
export function storeCreditCommands({
  pool,
  onFailure = failuresToStandardError,
}: Pick<Dependencies, 'pool' | 'onFailure'>) {
  return {
    /** Writes off what is due of one member's credit; safe to repeat. */
    expireCredit: async ({ workspace, account }: { workspace: string; account: string }) =>
      creditAccountExpire(pool, { workspace, account, at: await databaseNow(pool) }),

    /** Members with credit due before a time, for some seconds; returns how many, 0 where none was left. */
    expireDueCredits: async (
      before: string,
      onProgress: (checked: number) => void,
    ): Promise<number> => {
      const untilMs = performance.now() + TURN_MS
      let checked = 0
      const now = (await databaseNow(pool)).toISOString()
      const due = before < now ? before : now
      await workOff(
        (limit, skip) => creditsOverdue(pool, { before: due, limit, skip }),
        async ({ workspace, account }) => {
          onProgress(checked)
          await creditAccountExpire(pool, { workspace, account, at: now })
          checked++
        },
        { kind: 'credit_expiry', onFailure, most: Number.POSITIVE_INFINITY, untilMs },
      )
      return checked
    },
  }
}

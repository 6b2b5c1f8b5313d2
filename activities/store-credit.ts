import { heartbeat } from '@temporalio/activity'
import { databaseNow } from '../db/clock.ts'
import { dueCredits, expireCredits } from '../db/store-credit.ts'
import type { Dependencies } from './dependencies.ts'

// So many members are found at once; a heartbeat comes between.
const FOUND = 200
// One activity works for this long, then the workflow says how far it is.
const TURN_MS = 10_000

export type StoreCreditActivities = ReturnType<typeof storeCreditActivities>

/** The writers of store credit that no request asks for. */
export function storeCreditActivities({ pool }: Pick<Dependencies, 'pool'>) {
  const expireCredit = async ({ workspace, account }: { workspace: string; account: string }) =>
    expireCredits(pool, workspace, account, (await databaseNow(pool)).toISOString())

  return {
    /** Writes off what is due of one member's credit; safe to repeat. */
    expireCredit,

    /** Members with credit due before a time, for some seconds; returns how many, 0 where none was left. */
    expireDueCredits: async ({ before }: { before: string }): Promise<number> => {
      const untilMs = performance.now() + TURN_MS
      let looked = 0
      while (performance.now() < untilMs) {
        const now = (await databaseNow(pool)).toISOString()
        const due = await dueCredits(pool, before < now ? before : now, FOUND)
        if (due.length === 0) break
        for (const one of due) await expireCredit(one)
        looked += due.length
        heartbeat(looked)
      }
      return looked
    },
  }
}

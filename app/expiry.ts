import { databaseNow } from '../db/clock.ts'
import { accountExpire, accountsExpire, expiryChecksOverdue } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import type { OnFailure } from '../domain/failure.ts'
import { isAway } from '../domain/unavailable.ts'
import type { Dependencies } from './dependencies.ts'
import { failuresToStandardError } from './failures.ts'
import { eachRow, type RowsDone } from './rows.ts'

// So many are found at once; a heartbeat comes between.
const FOUND = 500
// So many of one workspace share a transaction: a member of theirs who redeems meanwhile waits for it.
const TOGETHER = 25
// One activity works for this long, then the workflow says how far it is.
const TURN_MS = 10_000

type Who = { workspace: string; account: string /** ISO 8601 */; at: string }

/** What a run learns: when to check again (null: never), and what this check did. */
type ExpiryCheckState = { wakesAt: string | null; shared: boolean; story: string }

/** The writers of expiry: all of them call `account_expire`, which may be called at any time. */
export function expiryCommands({
  pool,
  onFailure = failuresToStandardError,
}: Pick<Dependencies, 'pool' | 'onFailure'>) {
  return {
    /** Run by the account's own run. A merged account's check is its survivor's, whose run goes on from it. */
    checkExpiry: async ({ workspace, account, at }: Who): Promise<ExpiryCheckState> => {
      const check = await accountExpire(pool, { workspace, account, at })
      const { next_check_at: wakesAt = null, shared = false, expired = 0, warned = 0 } = check
      if (check.account !== undefined && check.account !== account) {
        return { wakesAt: null, shared: false, story: '' }
      }
      const summary = `Last checked at ${at}: ${expired} units expired, ${warned} warnings.`
      return { wakesAt, shared, story: summary }
    },

    /**
     * Checks accounts due before a time, for some seconds; returns how many, 0 where none was left but
     * those that cannot be expired, each of which is reported and keeps no other waiting.
     */
    expireDue: async (before: string, onProgress: (checked: number) => void): Promise<number> => {
      const untilMs = performance.now() + TURN_MS
      let checked = 0
      let skipped = 0
      while (performance.now() < untilMs) {
        const { done, passedOver } = await expireSome(pool, before, skipped, onFailure)
        if (done + passedOver === 0) break
        checked += done
        skipped += passedOver
        onProgress(checked)
      }
      return checked
    },
  }
}

/** One transaction after the other, on one connection: the other core is for requests, and the night has time. */
async function expireSome(
  pool: Pool,
  before: string,
  skip: number,
  onFailure: OnFailure,
): Promise<RowsDone> {
  const now = (await databaseNow(pool)).toISOString()
  const page = { before: before < now ? before : now, limit: FOUND, skip }
  const due = await expiryChecksOverdue(pool, page)
  let done = 0
  let passedOver = 0
  for (const group of together(due)) {
    try {
      done += await accountsExpire(pool, { ...group, at: now })
    } catch (error) {
      if (isAway(error)) throw error
      // One account's trouble keeps no other waiting. Each waits for its lock, which the transaction that
      // failed may hold for a moment after its error has come.
      const one = (row: { workspace: string; account: string }) =>
        accountExpire(pool, { ...row, at: now })
      const rows = group.accounts.map((account) => ({ workspace: group.workspace, account }))
      const each = await eachRow(rows, one, { kind: 'expiry', onFailure })
      done += each.done
      passedOver += each.passedOver
    }
  }
  return { done, passedOver }
}

type Group = { workspace: string; accounts: string[] }

/** Groups of one workspace's accounts, each small enough for one transaction, in the order they were found. */
function together(due: readonly { workspace: string; account: string }[]): Group[] {
  const groups: Group[] = []
  const filling = new Map<string, string[]>()
  for (const { workspace, account } of due) {
    const open = filling.get(workspace)
    if (open !== undefined && open.length < TOGETHER) open.push(account)
    else {
      const accounts = [account]
      filling.set(workspace, accounts)
      groups.push({ workspace, accounts })
    }
  }
  return groups
}

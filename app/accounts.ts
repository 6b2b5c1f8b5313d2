import {
  type AccountChange,
  type AccountChangeResult,
  changeAccount,
  enrolAccount,
  mergeAccount,
  setAccountStatus,
  setTier,
} from '../db/account-changes.ts'
import type { NewAccount } from '../db/accounts.ts'
import { databaseNow } from '../db/clock.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import type { Dependencies } from './dependencies.ts'

export type Creation<Row> = { replayOf: string } | { row: Row }

/** The writers of accounts, run by the API: each is one ledger function, one transaction. */
export function accountCommands({ pool }: Pick<Dependencies, 'pool'>) {
  const now = async () => (await databaseNow(pool)).toISOString()

  return {
    /** What the earning rules give a new member is there already; what they give later has its timer. */
    createAccount: async (
      request: RequestIdentity,
      values: NewAccount,
    ): Promise<AccountChangeResult> => enrolAccount(pool, request, values, await now()),

    updateAccount: async (
      request: RequestIdentity,
      id: string,
      change: AccountChange,
    ): Promise<AccountChangeResult> => changeAccount(pool, request, id, change, await now()),

    closeAccount: async (request: RequestIdentity, id: string): Promise<AccountChangeResult> =>
      setAccountStatus(pool, request, id, 'closed', await now()),

    reopenAccount: async (request: RequestIdentity, id: string): Promise<AccountChangeResult> =>
      setAccountStatus(pool, request, id, 'active', await now()),

    mergeAccounts: async (
      request: RequestIdentity,
      source: string,
      target: string,
    ): Promise<AccountChangeResult> => mergeAccount(pool, request, source, target, await now()),

    setAccountTier: async (
      request: RequestIdentity,
      id: string,
      tier: string | null,
      note: string | null,
    ): Promise<AccountChangeResult> => setTier(pool, request, id, tier, note, await now()),
  }
}

import {
  type AccountChange,
  type AccountChangeResult,
  changeAccount,
  enrolAccount,
  mergeAccount,
  setAccountStatus,
  setTier,
} from '../db/account-changes.ts'
import type { AccountRow, NewAccount } from '../db/accounts.ts'
import { databaseNow } from '../db/clock.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import { refusalSentence } from '../domain/ledger-refusal.ts'
import { Refused } from '../domain/refusal.ts'
import type { Dependencies } from './dependencies.ts'
import type { Written } from './idempotent.ts'
import { notFound } from './refusals.ts'

/** The writers of accounts, run by the API: each is one ledger function, one transaction, once for the request's key. */
export function accountCommands({ pool }: Pick<Dependencies, 'pool'>) {
  const now = async () => (await databaseNow(pool)).toISOString()

  return {
    /** What the earning rules give a new member is there already; what they give later has its timer. */
    createAccount: async (request: RequestIdentity, values: NewAccount) =>
      written(values.id, await enrolAccount(pool, request, values, await now())),

    updateAccount: async (request: RequestIdentity, id: string, change: AccountChange) =>
      written(id, await changeAccount(pool, request, id, change, await now())),

    closeAccount: async (request: RequestIdentity, id: string) =>
      written(id, await setAccountStatus(pool, request, id, 'closed', await now())),

    reopenAccount: async (request: RequestIdentity, id: string) =>
      written(id, await setAccountStatus(pool, request, id, 'active', await now())),

    /** The target, with what was the source's. */
    mergeAccounts: async (request: RequestIdentity, source: string, target: string) =>
      written(target, await mergeAccount(pool, request, source, target, await now())),

    setAccountTier: async (
      request: RequestIdentity,
      id: string,
      tier: string | null,
      note: string | null,
    ) => written(id, await setTier(pool, request, id, tier, note, await now())),
  }
}

function written(id: string, changed: AccountChangeResult): Written<AccountRow> {
  if (changed.refusal !== undefined) throw new Refused(refusalSentence(changed.refusal))
  const { row, outcome } = changed
  return row === undefined ? notFound('account', id) : { row, replayed: outcome === 'replayed' }
}

import { type AccountRow, type NewAccount, readAccountRow } from '../db/accounts.ts'
import { databaseNow } from '../db/clock.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import {
  accountCreate,
  accountMerge,
  accountSetStatus,
  accountUpdate,
  tierSet,
} from '../db/ledger.gen.ts'
import type { AccountAnswer, AccountChange } from '../db/results/account.ts'
import type { Dependencies } from './dependencies.ts'
import type { Written } from './idempotent.ts'
import { notFound } from './refusals.ts'

/** The writers of accounts, run by the API: each is one ledger function, one transaction, once for the request's key. */
export function accountCommands({ pool }: Pick<Dependencies, 'pool'>) {
  const now = () => databaseNow(pool)

  const setStatus = async (request: RequestIdentity, id: string, status: 'active' | 'closed') =>
    written(id, await accountSetStatus(pool, { ...request, id, status, at: await now() }))

  return {
    /** What the earning rules give a new member is there already; what they give later has its timer. */
    createAccount: async (request: RequestIdentity, values: NewAccount) =>
      written(values.id, await accountCreate(pool, { ...values, ...request, at: await now() })),

    updateAccount: async (request: RequestIdentity, id: string, change: AccountChange) =>
      written(id, await accountUpdate(pool, { ...request, id, change, at: await now() })),

    closeAccount: (request: RequestIdentity, id: string) => setStatus(request, id, 'closed'),

    reopenAccount: (request: RequestIdentity, id: string) => setStatus(request, id, 'active'),

    /** The target, with what was the source's. */
    mergeAccounts: async (request: RequestIdentity, source: string, target: string) =>
      written(target, await accountMerge(pool, { ...request, source, target, at: await now() })),

    setAccountTier: async (
      request: RequestIdentity,
      account: string,
      tier: string | null,
      note: string | null,
    ) =>
      written(account, await tierSet(pool, { ...request, account, tier, note, at: await now() })),
  }
}

function written(id: string, { account, outcome }: AccountAnswer): Written<AccountRow> {
  if (!account) return notFound('account', id)
  return { row: readAccountRow(account), replayed: outcome === 'replayed' }
}

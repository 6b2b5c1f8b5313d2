import type { AccountRow, NewAccount } from './accounts.ts'
import type { RequestIdentity } from './idempotency.ts'
import type { Pool } from './pool.ts'
import { callOrRefusal } from './refusable-call.ts'
import type { AccountAnswer, AccountChange } from './results/account.ts'
import { account } from './schema/index.ts'
import { fromSnapshot } from './snapshot.ts'
import type { SqlRefusal } from './sql-refusal.ts'

export type { AccountChange } from './results/account.ts'

/**
 * What came of a change: the account as it is now (undefined: there is none), or the refusal.
 * `maturesAt`: a welcome that waits.
 */
export type AccountChangeResult =
  | {
      outcome: string
      row: AccountRow | undefined
      maturesAt: string | null
      refusal?: undefined
    }
  | { refusal: SqlRefusal }

async function change(pool: Pool, name: string, args: unknown[]): Promise<AccountChangeResult> {
  const answer = await callOrRefusal<AccountAnswer>(pool, name, args)
  if ('refusal' in answer) return answer
  const row = answer.account ? fromSnapshot(account, answer.account) : undefined
  const { outcome, matures_at: maturesAt = null } = answer
  return { outcome, row, maturesAt }
}

export const enrolAccount = (pool: Pool, r: RequestIdentity, a: NewAccount, at: string) =>
  change(pool, 'account_create', [
    a.workspace,
    a.id,
    a.program,
    a.customer,
    a.metadata,
    r.route,
    r.key,
    r.fingerprint,
    at,
  ])

export const changeAccount = (
  pool: Pool,
  r: RequestIdentity,
  id: string,
  what: AccountChange,
  at: string,
) => change(pool, 'account_update', [r.workspace, id, what, r.route, r.key, r.fingerprint, at])

export const setAccountStatus = (
  pool: Pool,
  r: RequestIdentity,
  id: string,
  status: 'active' | 'closed',
  at: string,
) =>
  change(pool, 'account_set_status', [r.workspace, id, status, r.route, r.key, r.fingerprint, at])

export const mergeAccount = (
  pool: Pool,
  r: RequestIdentity,
  source: string,
  target: string,
  at: string,
) => change(pool, 'account_merge', [r.workspace, source, target, r.route, r.key, r.fingerprint, at])

export const setTier = (
  pool: Pool,
  r: RequestIdentity,
  id: string,
  tier: string | null,
  note: string | null,
  at: string,
) => change(pool, 'tier_set', [r.workspace, id, tier, note, r.route, r.key, r.fingerprint, at])

import { databaseNow } from '../db/clock.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import {
  accountErase,
  erasureCertify,
  erasureCheck,
  erasureSeal,
  erasureView,
} from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import { erasure } from '../db/schema/index.ts'
import { fromSnapshot, type Snapshot } from '../db/snapshot.ts'
import type { ErasedStore, ErasureWait } from '../domain/erasure.ts'
import type { Dependencies } from './dependencies.ts'
import type { Written } from './idempotent.ts'
import { notFound } from './refusals.ts'

type ErasureRow = typeof erasure.$inferSelect
type Which = { readonly workspace: string; readonly account: string }

export function erasureCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /** Closes the account and starts its erasure; one that was completed is done once more. */
    eraseAccount: async (request: RequestIdentity, id: string): Promise<Written<ErasureRow>> => {
      const at = await databaseNow(pool)
      const { outcome, erasure: row } = await accountErase(pool, { ...request, id, at })
      if (row === null) return notFound('account', id)
      return { row: rowOf(row), replayed: outcome === 'replayed' }
    },
  }
}

/** Undefined where none was asked for. */
export async function findErasure(
  pool: Pool,
  workspace: string,
  account: string,
): Promise<ErasureRow | undefined> {
  const row = await erasureView(pool, { workspace, account })
  return row === null ? undefined : rowOf(row)
}

const rowOf = (row: Snapshot): ErasureRow => fromSnapshot(erasure, row)

/** What must end first; null: there is nothing to erase any more. */
export const checkErasure = async (pool: Pool, which: Which): Promise<ErasureWait[] | null> =>
  erasureCheck(pool, { ...which, at: await databaseNow(pool) })

const AT_ONCE = 500 // rows a transaction: locked for some 50 ms

/** Removes what a store says of the member, some rows a transaction; how many rows. `onTurn` is called after each. */
export async function eraseStore(
  pool: Pool,
  { store, ...which }: Which & { store: ErasedStore },
  onTurn: () => void,
): Promise<number> {
  for (let total = 0; ; ) {
    const at = await databaseNow(pool)
    const changed = await erasureSeal(pool, { ...which, store, limit: AT_ONCE, at })
    total += changed
    if (changed < AT_ONCE) return total
    onTurn()
  }
}

/** Searches again, and completes the erasure where that finds nothing; else rows by store. */
export const certifyErasure = async (pool: Pool, which: Which): Promise<Record<string, number>> =>
  erasureCertify(pool, { ...which, at: await databaseNow(pool) })

import { heartbeat } from '@temporalio/activity'
import type { Dependencies } from '../app/dependencies.ts'
import { certifyErasure, checkErasure, eraseStore } from '../app/erasures.ts'
import type { ErasedStore, ErasureWait } from '../domain/erasure.ts'

type Which = { readonly workspace: string; readonly account: string }

export type ErasureActivities = ReturnType<typeof erasureActivities>

/** What the erasure of a member does. */
export function erasureActivities({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    checkErasure: (which: Which): Promise<ErasureWait[] | null> => checkErasure(pool, which),
    eraseStore: (which: Which & { store: ErasedStore }): Promise<number> =>
      eraseStore(pool, which, heartbeat),
    certifyErasure: (which: Which): Promise<Record<string, number>> => certifyErasure(pool, which),
  }
}

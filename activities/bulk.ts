import { heartbeat } from '@temporalio/activity'
import { type BulkState, workOnBulk } from '../app/bulk.ts'
import type { Dependencies } from '../app/dependencies.ts'

export type { BulkState }

export type BulkRunActivities = ReturnType<typeof bulkRunActivities>

/** What the run of an import or a reversal does. */
export function bulkRunActivities({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    workOnBulk: (which: { workspace: string; bulk: string }): Promise<BulkState> =>
      workOnBulk(pool, which, heartbeat),
  }
}

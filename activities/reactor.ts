import { claimKey, type RequestIdentity } from '../db/idempotency.ts'
import {
  insertReactor,
  type NewReactor,
  type ReactorChange,
  type ReactorRow,
  removeReactor,
  updateReactor,
} from '../db/reactors.ts'
import { transact } from '../db/workspace-client.ts'
import type { Created } from './account.ts'
import type { Dependencies } from './dependencies.ts'

/** The writers of reactors, run by the API. */
export function reactorActivities({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    createReactor: (request: RequestIdentity, values: NewReactor): Promise<Created<ReactorRow>> =>
      transact(pool, request.workspace, async (tx) => {
        const replayOf = await claimKey(tx, request, values.id)
        return replayOf !== undefined ? { replayOf } : { row: await insertReactor(tx, values) }
      }),

    /** Undefined where there is no such reactor. A replay changes nothing and says which one it was. */
    updateReactor: (
      request: RequestIdentity,
      id: string,
      change: ReactorChange,
    ): Promise<Created<ReactorRow> | undefined> =>
      transact(pool, request.workspace, async (tx) => {
        const replayOf = await claimKey(tx, request, id)
        if (replayOf !== undefined) return { replayOf }
        const row = await updateReactor(tx, request.workspace, id, change)
        return row && { row }
      }),

    deleteReactor: ({ workspace, id }: { workspace: string; id: string }): Promise<void> =>
      transact(pool, workspace, (tx) => removeReactor(tx, workspace, id)),
  }
}

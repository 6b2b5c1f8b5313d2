import { changeOnce, claimKey, type RequestIdentity, writeOnce } from '../db/idempotency.ts'
import {
  insertReactor,
  lockReactor,
  type NewReactor,
  type ReactorChange,
  type ReactorRow,
  removeReactor,
  updateReactor,
} from '../db/reactors.ts'
import { transact } from '../db/workspace-client.ts'
import type { Created } from './accounts.ts'
import type { Dependencies } from './dependencies.ts'

/** The writers of reactors. */
export function reactorCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    createReactor: (request: RequestIdentity, values: NewReactor): Promise<Created<ReactorRow>> =>
      transact(pool, request.workspace, async (tx) => {
        const replayOf = await claimKey(tx, request, values.id)
        return replayOf !== undefined ? { replayOf } : { row: await insertReactor(tx, values) }
      }),

    /** What `changeOf` makes of the reactor as it is, under its lock; undefined where there is none. */
    updateReactor: (
      request: RequestIdentity,
      id: string,
      changeOf: (before: ReactorRow) => ReactorChange,
    ) =>
      changeOnce(pool, request, id, lockReactor, (tx, before) =>
        updateReactor(tx, request.workspace, id, changeOf(before)),
      ),

    /** Its id; undefined where there is no such reactor. */
    deleteReactor: (request: RequestIdentity, id: string) =>
      writeOnce<string | undefined>(pool, request, {
        resource: id,
        first: async (tx) => {
          const before = await lockReactor(tx, request.workspace, id)
          if (before !== undefined) await removeReactor(tx, request.workspace, id)
          return before?.id
        },
        again: async (_tx, deleted) => deleted,
      }),
  }
}

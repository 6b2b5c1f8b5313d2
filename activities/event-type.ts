import {
  type EventTypeChange,
  type EventTypeRow,
  insertEventType,
  type NewEventType,
  updateEventType,
} from '../db/event-types.ts'
import { claimKey, type RequestIdentity } from '../db/idempotency.ts'
import { transact } from '../db/workspace-client.ts'
import type { Created } from './account.ts'
import type { Dependencies } from './dependencies.ts'

/** The writers of event types, run by the API. */
export function eventTypeActivities({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /** Undefined where the name is taken. */
    createEventType: (
      request: RequestIdentity,
      values: NewEventType,
    ): Promise<Created<EventTypeRow> | undefined> =>
      transact(pool, request.workspace, async (tx) => {
        const replayOf = await claimKey(tx, request, values.id)
        if (replayOf !== undefined) return { replayOf }
        const row = await insertEventType(tx, values)
        return row && { row }
      }),

    /** Undefined where there is no such type. A replay changes nothing and says which type it was. */
    updateEventType: (
      request: RequestIdentity,
      id: string,
      change: EventTypeChange,
    ): Promise<Created<EventTypeRow> | undefined> =>
      transact(pool, request.workspace, async (tx) => {
        const replayOf = await claimKey(tx, request, id)
        if (replayOf !== undefined) return { replayOf }
        const row = await updateEventType(tx, request.workspace, id, change)
        return row && { row }
      }),
  }
}

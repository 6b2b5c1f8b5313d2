import {
  type EventTypeChange,
  insertEventType,
  lockEventType,
  type NewEventType,
  updateEventType,
} from '../db/event-types.ts'
import { changeOnce, type RequestIdentity, writeOnce } from '../db/idempotency.ts'
import type { Dependencies } from './dependencies.ts'

/** The writers of event types. */
export function eventTypeCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /** Undefined where the name is taken. */
    createEventType: (request: RequestIdentity, values: NewEventType) =>
      writeOnce(pool, request, {
        resource: values.id,
        first: (tx) => insertEventType(tx, values),
        again: (tx, id) => lockEventType(tx, request.workspace, id),
      }),

    /** Undefined where there is no such type. */
    updateEventType: (request: RequestIdentity, id: string, change: EventTypeChange) =>
      changeOnce(pool, request, id, lockEventType, (tx) =>
        updateEventType(tx, request.workspace, id, change),
      ),
  }
}

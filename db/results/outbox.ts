import type { OUTBOX_CHANGES } from '../../domain/outbox.ts'

/** What Temporal must be given of one row. */
export type OutboxRow = {
  workspace: string
  workflow_id: string
  workflow_type: string
  /** What a run is started with; the sender adds `facts` and `revision`. */
  input: Record<string, unknown>
  facts: Record<string, unknown>
  /** Orders the facts of one workflow. */
  revision: number
  change: (typeof OUTBOX_CHANGES)[number]
  attempts: number
  /** Until then (microseconds since 1970) the row is its holder's; another number says that it is another's. */
  lease: number
  /** Milliseconds, by the database's clock when the row was read, until a run started then has something to do. */
  start_in_ms: number
}

/** What a workflow waits for, by its id, with the row that would wake it. */
export type WaitingRow = OutboxRow & { id: string }

export type OutboxBacklog = {
  /** Rows, counted up to a cap. */
  waiting: number
  /** Of the longest unsent; null where none waits. */
  oldest_seconds: number | null
}

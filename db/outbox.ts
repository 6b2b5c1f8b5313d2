import type { Pool } from 'pg'
import type { OUTBOX_CHANGES } from './schema/outbox.ts'

/** What Temporal must be told of one row. */
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
  /** Milliseconds, by the database's clock when the row was read, until a run started then has something to do. */
  start_in_ms: number
}

/** What a transaction wrote for others: rows of the outbox, and whether there are new webhook deliveries. */
export type Written = { rows?: OutboxRow[]; deliveries: boolean }

export type OnWritten = (workspace: string, written: Written) => void

const listeners = new WeakMap<object, OnWritten>()

/** Tells `onWritten` after each commit on this pool that wrote something for others. It must neither throw nor wait. */
export function onCommit(pool: Pool, onWritten: OnWritten): void {
  listeners.set(pool, onWritten)
}

/** Said by whoever ran a transaction on `db`, once it is committed. */
export function afterCommit(db: object, workspace: unknown, written: Written | null): void {
  if (written === null || typeof workspace !== 'string') return
  listeners.get(db)?.(workspace, written)
}

/** Deletes rows that were sent, where they have not changed since. */
export async function deleteSent(pool: Pool, rows: readonly OutboxRow[]): Promise<void> {
  await pool.query({
    name: 'outbox_sent',
    text: 'select outbox_sent($1, $2, $3)',
    values: [
      rows.map(({ workspace }) => workspace),
      rows.map(({ workflow_id }) => workflow_id),
      rows.map(({ revision }) => revision),
    ],
  })
}

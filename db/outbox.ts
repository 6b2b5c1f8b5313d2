import type { Pool } from 'pg'
import type { OUTBOX_CHANGES } from './schema/outbox.ts'

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

/** What a transaction wrote for others: rows of the outbox, and whether there are new webhook deliveries. */
export type CommitOutput = { rows?: OutboxRow[]; deliveries: boolean }

type CommitListener = (workspace: string, output: CommitOutput) => void

const listeners = new WeakMap<object, CommitListener>()

/** Tells `listener` after each commit on this pool that wrote something for others. It must neither throw nor wait. */
export function onCommit(pool: Pool, listener: CommitListener): void {
  listeners.set(pool, listener)
}

/** Said by whoever ran a transaction on `db`, once it is committed. */
export function afterCommit(db: object, workspace: unknown, output: CommitOutput | null): void {
  if (output === null || typeof workspace !== 'string') return
  listeners.get(db)?.(workspace, output)
}

/** Deletes rows that were sent, where they have not changed since. */
export async function deleteSent(pool: Pool, rows: readonly OutboxRow[]): Promise<void> {
  await pool.query({
    name: 'outbox_sent',
    text: 'select ledger.outbox_sent($1, $2, $3)',
    values: keysOf(rows, 'revision'),
  })
}

/** Rows held for long, as they are now; without those that were sent, changed or given to another since. */
export async function renewRows(pool: Pool, rows: readonly OutboxRow[]): Promise<OutboxRow[]> {
  const renewed = await pool.query<{ row: OutboxRow }>({
    name: 'outbox_renew',
    text: 'select ledger.outbox_renew($1, $2, $3) as row',
    values: keysOf(rows, 'lease'),
  })
  return renewed.rows.map(({ row }) => row)
}

/** Makes rows due at once that this process holds and will not send. */
export async function releaseRows(pool: Pool, rows: readonly OutboxRow[]): Promise<void> {
  await pool.query({
    name: 'outbox_release',
    text: 'select ledger.outbox_release($1, $2, $3)',
    values: keysOf(rows, 'lease'),
  })
}

/** Temporal refused the call itself: counted on its row, which is tried again later and noted for a person. */
export async function refuseRow(pool: Pool, row: OutboxRow, error: string): Promise<void> {
  await pool.query('select ledger.outbox_refused($1, $2, $3, $4)', [
    row.workspace,
    row.workflow_id,
    row.revision,
    error,
  ])
}

/** The workspace's endpoints that have deliveries due and no run at work: these rows are their outbox. */
export async function listWaitingEndpoints(pool: Pool, workspace: string): Promise<string[]> {
  const { rows } = await pool.query<{ result: { waiting: string[] } }>({
    name: 'webhook_waiting',
    text: 'select ledger.webhook_waiting($1) as result',
    values: [workspace],
  })
  return rows[0]?.result.waiting ?? []
}

export type OutboxBacklog = {
  /** Rows, counted up to a cap. */
  waiting: number
  /** Of the longest unsent; null where none waits. */
  oldest_seconds: number | null
}

/** How many rows wait, counted up to `cap`, and for how long. */
export async function readOutboxBacklog(pool: Pool, cap: number): Promise<OutboxBacklog> {
  const { rows } = await pool.query<{ result: OutboxBacklog }>({
    name: 'outbox_waiting',
    text: 'select ledger.outbox_waiting($1) as result',
    values: [cap],
  })
  return rows[0]?.result ?? { waiting: 0, oldest_seconds: null }
}

const keysOf = (rows: readonly OutboxRow[], third: 'revision' | 'lease') => [
  rows.map(({ workspace }) => workspace),
  rows.map(({ workflow_id }) => workflow_id),
  rows.map((row) => row[third]),
]

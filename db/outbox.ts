import type { Pool } from 'pg'
import type { OutboxBacklog, OutboxRow } from './results/outbox.ts'

export { type CommitOutput, onCommit } from './after-commit.ts'
export type { OutboxBacklog, OutboxRow } from './results/outbox.ts'

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

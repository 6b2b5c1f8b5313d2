import pg from 'pg'
import {
  outboxClaim,
  outboxRefused,
  outboxRelease,
  outboxRenew,
  outboxSent,
  outboxWaiting,
  webhookWaiting,
} from './ledger.gen.ts'
import type { Pool } from './pool.ts'
import type { OutboxBacklog, OutboxRow } from './results/outbox.ts'

export { type CommitOutput, onCommit } from './after-commit.ts'
export type { OutboxBacklog, OutboxRow } from './results/outbox.ts'

/** Deletes rows that were sent, where they have not changed since. */
export async function deleteSent(pool: Pool, rows: readonly OutboxRow[]): Promise<void> {
  await outboxSent(pool, { ...keysOf(rows), revisions: rows.map(({ revision }) => revision) })
}

/** Rows held for long, as they are now; without those that were sent, changed or given to another since. */
export const renewRows = (pool: Pool, rows: readonly OutboxRow[]): Promise<OutboxRow[]> =>
  outboxRenew(pool, { ...keysOf(rows), leases: rows.map(({ lease }) => lease) })

/** Makes rows due at once that this process holds and will not send. */
export async function releaseRows(pool: Pool, rows: readonly OutboxRow[]): Promise<void> {
  await outboxRelease(pool, { ...keysOf(rows), leases: rows.map(({ lease }) => lease) })
}

/** Temporal refused the call itself: counted on its row, which is tried again later and noted for a person. */
export const refuseRow = (pool: Pool, row: OutboxRow, error: string): Promise<void> =>
  outboxRefused(pool, {
    workspace: row.workspace,
    workflowId: row.workflow_id,
    revision: row.revision,
    error,
  })

/** The workspace's endpoints that have deliveries due and no run at work: these rows are their outbox. */
export const listWaitingEndpoints = async (pool: Pool, workspace: string): Promise<string[]> =>
  (await webhookWaiting(pool, { workspace })).waiting

/** How many rows wait, counted up to `cap`, and for how long. */
export const readOutboxBacklog = (pool: Pool, cap: number): Promise<OutboxBacklog> =>
  outboxWaiting(pool, { cap })

const keysOf = (rows: readonly OutboxRow[]) => ({
  workspaces: rows.map(({ workspace }) => workspace),
  workflowIds: rows.map(({ workflow_id }) => workflow_id),
})

// Any number will do, as long as every sweep takes the same.
const SWEEP_LOCK = 7_266_104

/**
 * What a sweep asks of the database, on a connection of its own: the lock that one process alone holds is
 * this session's, so that it ends with the process, however that ends.
 */
export class SweepConnection {
  readonly #client: pg.Client
  #leads = false

  private constructor(client: pg.Client) {
    this.#client = client
  }

  /** `onLost`: the connection broke, and with it the lead. */
  static async open(pool: Pool, onLost: (error: Error) => void): Promise<SweepConnection> {
    const { connectionString, application_name, options = '' } = pool.options
    const client = new pg.Client({
      connectionString,
      application_name: `${application_name ?? 'vinr'}-sweep`,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      // a host that vanished holds the lock for half a minute, not for hours
      options: `${options} -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4`,
    })
    client.on('error', onLost)
    await client.connect()
    return new SweepConnection(client)
  }

  /** Whether this is the one process that sweeps. Tried, never waited for. */
  async leads(): Promise<boolean> {
    if (this.#leads) return true
    const { rows } = await this.#client.query<{ leads: boolean }>(
      'select pg_try_advisory_lock($1) as leads',
      [SWEEP_LOCK],
    )
    this.#leads = rows[0]?.leads === true
    return this.#leads
  }

  /** Up to `limit` rows that are due, this process's for 30 s from now. */
  claim(limit: number): Promise<OutboxRow[]> {
    return outboxClaim(this.#client, { limit })
  }

  close(): Promise<void> {
    return this.#client.end()
  }
}

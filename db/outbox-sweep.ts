import pg from 'pg'
import type { OutboxRow } from './outbox.ts'
import type { Pool } from './pool.ts'

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
  async claim(limit: number): Promise<OutboxRow[]> {
    const { rows } = await this.#client.query<{ row: OutboxRow }>({
      name: 'outbox_claim',
      text: 'select ledger.outbox_claim($1) as row',
      values: [limit],
    })
    return rows.map(({ row }) => row)
  }

  close(): Promise<void> {
    return this.#client.end()
  }
}

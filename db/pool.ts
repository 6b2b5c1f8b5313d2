import pg from 'pg'
import { Shares } from './shares.ts'

// Balances and amounts are checked by the database to stay safe integers.
pg.types.setTypeParser(pg.types.builtins.INT8, Number)
pg.types.setTypeParser(pg.types.builtins.NUMERIC, Number)
// A day is no instant: it stays YYYY-MM-DD.
pg.types.setTypeParser(pg.types.builtins.DATE, String)

export type Pool = pg.Pool
export type Client = pg.PoolClient

const OUTSIDE_SHARES = 2 // for keys and health checks, which belong to no workspace
const PER_ACCOUNT = 3 // one works, two are there when it is done
const WAITING_PER_WORKSPACE = 2_000 // a rush of a thousand members at once is answered whole
const WAITING_PER_ACCOUNT = 256 // a till has one request of a member under way, a busy chain a few
const WAIT_MS = 10_000 // a client gives up after 30 s
// Longer than any write under an account's lock but the merge of a hundred thousand lots. Postgres ends a
// statement that waits longer with 55P03.
const LOCK_TIMEOUT_MS = 5_000

const sharesOfPools = new WeakMap<object, Shares>()

/** How this pool is divided between workspaces; undefined for a single connection. */
export const sharesOf = (db: object): Shares | undefined => sharesOfPools.get(db)

type PoolOptions = {
  url: string
  /** Connections at most; two cores gain nothing beyond some 16. */
  max?: number
  applicationName?: string
  onError?: (error: Error) => void
}

/**
 * A pool that survives its server: a broken idle connection is dropped and reported, never thrown. Its
 * connections are shared between workspaces (shares.ts); none waits for a lock longer than 5 s.
 */
export function createPool({
  url,
  max = 16,
  applicationName = 'vinr',
  onError,
}: PoolOptions): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: applicationName,
    connectionTimeoutMillis: 5_000, // a request waits no longer for a connection than for an answer
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    options: `-c lock_timeout=${LOCK_TIMEOUT_MS}`,
  })
  sharesOfPools.set(
    pool,
    new Shares({
      connections: Math.max(1, max - OUTSIDE_SHARES),
      perAccount: PER_ACCOUNT,
      waitingPerWorkspace: WAITING_PER_WORKSPACE,
      waitingPerAccount: WAITING_PER_ACCOUNT,
      waitMs: WAIT_MS,
    }),
  )
  const report = onError ?? (() => {})
  pool.on('error', report)
  // A server that shuts down (57P01) breaks clients in use as well; their query rejects, this keeps the process.
  pool.on('connect', (client) => client.on('error', report))
  return pool
}

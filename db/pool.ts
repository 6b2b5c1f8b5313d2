import pg from 'pg'

// Balances and amounts are checked by the database to stay safe integers.
pg.types.setTypeParser(pg.types.builtins.INT8, Number)
pg.types.setTypeParser(pg.types.builtins.NUMERIC, Number)

export type Pool = pg.Pool
export type Client = pg.PoolClient

export type PoolOptions = {
  url: string
  /** Connections at most; two cores gain nothing beyond some 16. */
  max?: number
  applicationName?: string
  onError?: (error: Error) => void
}

/** A pool that survives its server: a broken idle connection is dropped and reported, never thrown. */
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
  })
  const report = onError ?? (() => {})
  pool.on('error', report)
  // A server that shuts down (57P01) breaks clients in use as well; their query rejects, this keeps the process.
  pool.on('connect', (client) => client.on('error', report))
  return pool
}

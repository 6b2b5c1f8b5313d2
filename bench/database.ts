import pg from 'pg'

export interface Database {
  /** As the superuser, so that a contender may create what it needs and an audit sees every row. */
  url: string
  name: string
  drop(): Promise<void>
}

/** A new, empty database on the one Postgres that all contenders share. */
export async function createDatabase(adminUrl: string, name: string): Promise<Database> {
  const quoted = pg.escapeIdentifier(name)
  await execute(adminUrl, `DROP DATABASE IF EXISTS ${quoted} WITH (FORCE)`)
  await execute(adminUrl, `CREATE DATABASE ${quoted}`)
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  return {
    url: url.href,
    name,
    drop: () => execute(adminUrl, `DROP DATABASE ${quoted} WITH (FORCE)`),
  }
}

/** Writes out what earlier turns left dirty, so that nobody pays for another one's pages. */
export async function settle(adminUrl: string): Promise<void> {
  await execute(adminUrl, 'CHECKPOINT')
}

/** Statistics as autovacuum would have made them; plans made while the tables were empty end here. */
export async function analyze(databaseUrl: string): Promise<void> {
  await execute(databaseUrl, 'ANALYZE')
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

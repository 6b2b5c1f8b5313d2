import pg from 'pg'
import { createOwner } from '../db/owner.ts'

// The names that deploy/temporal/server.yaml has.
const TEMPORAL_DATABASES = ['temporal', 'temporal_visibility']

type Login = { role: string; password: string }

/**
 * The one process that connects as the database's administrator: makes the product's owner role
 * and database and Temporal's role and databases, each out of the other's reach, and brings the
 * passwords of all roles in line with the environment. Safe to repeat.
 */
async function main(): Promise<void> {
  const admin = required('ADMIN_DATABASE_URL')
  const owner = required('MIGRATION_DATABASE_URL')
  const temporal = {
    role: required('TEMPORAL_DATABASE_USER'),
    password: required('TEMPORAL_DATABASE_PASSWORD'),
  }
  await createOwner(admin, owner)
  const client = new pg.Client({ connectionString: admin })
  await client.connect()
  try {
    await createTemporal(client, temporal)
    const urls = [owner, required('DATABASE_URL'), required('WORKER_DATABASE_URL')]
    for (const login of [...urls.map(loginOf), temporal]) await alignPassword(client, login)
  } finally {
    await client.end()
  }
  console.log('roles and databases ready')
}

async function createTemporal(client: pg.Client, { role }: Login): Promise<void> {
  const name = pg.escapeIdentifier(role)
  if (!(await exists(client, 'select from pg_roles where rolname = $1', role))) {
    await client.query(`create role ${name} login`)
  }
  for (const database of TEMPORAL_DATABASES) {
    if (!(await exists(client, 'select from pg_database where datname = $1', database))) {
      await client.query(`create database ${pg.escapeIdentifier(database)} owner ${name}`)
    }
    // By default any role may connect to any database.
    await client.query(
      `revoke connect, temporary on database ${pg.escapeIdentifier(database)} from public`,
    )
  }
}

/** The application's and the worker's role appear with the migrations, which give them their passwords themselves. */
async function alignPassword(client: pg.Client, { role, password }: Login): Promise<void> {
  if (!(await exists(client, 'select from pg_roles where rolname = $1', role))) return
  await client.query(
    `alter role ${pg.escapeIdentifier(role)} password ${pg.escapeLiteral(password)}`,
  )
}

async function exists(client: pg.Client, query: string, name: string): Promise<boolean> {
  return ((await client.query(query, [name])).rowCount ?? 0) > 0
}

function loginOf(url: string): Login {
  const { username, password } = new URL(url)
  return { role: decodeURIComponent(username), password: decodeURIComponent(password) }
}

function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} must be set`)
  return value
}

await main()

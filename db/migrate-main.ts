import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { migrate } from './migrate.ts'

/** `npm run migrate`: environment MIGRATION_DATABASE_URL (owner), DATABASE_URL (application role), optionally WORKER_DATABASE_URL. */
async function main(): Promise<void> {
  const ownerUrl = process.env.MIGRATION_DATABASE_URL
  const applicationUrl = process.env.DATABASE_URL
  if (!ownerUrl || !applicationUrl) {
    throw new Error(
      'MIGRATION_DATABASE_URL (owner role) and DATABASE_URL (application role) must be set',
    )
  }
  if (process.env.ADMIN_DATABASE_URL) await createOwner(process.env.ADMIN_DATABASE_URL, ownerUrl)
  const workerUrl = process.env.WORKER_DATABASE_URL || undefined
  await migrate({ ownerUrl, applicationUrl, workerUrl, onProgress: (line) => console.log(line) })
}

/** Creates the owner role and its database, for a server where there is nothing yet but an administrator. */
export async function createOwner(adminUrl: string, ownerUrl: string): Promise<void> {
  const owner = new URL(ownerUrl)
  const role = decodeURIComponent(owner.username)
  const database = owner.pathname.slice(1)
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  try {
    const roles = await client.query('select from pg_roles where rolname = $1', [role])
    if (!roles.rowCount) {
      await client.query(
        `create role ${pg.escapeIdentifier(role)} login createrole password ${pg.escapeLiteral(decodeURIComponent(owner.password))}`,
      )
    }
    const databases = await client.query('select from pg_database where datname = $1', [database])
    if (!databases.rowCount) {
      await client.query(
        `create database ${pg.escapeIdentifier(database)} owner ${pg.escapeIdentifier(role)}`,
      )
    }
  } finally {
    await client.end()
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  })
}

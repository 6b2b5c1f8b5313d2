import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as applyVersioned } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'
import { schemaProblems } from '../domain/json-schema.ts'
import { backfillRows } from './backfill.ts'
import { applyFunctions } from './functions.ts'
import { grantApplication, grantLedger, grantWorker } from './grants.ts'

type MigrateOptions = {
  /** The owner of every table; needs CREATEROLE where the application role is to be made. */
  ownerUrl: string
  /** The application role's own URL: its name and password are what is created. */
  applicationUrl: string
  /** The worker's, where it is a role of its own: then functions across workspaces are its alone. */
  workerUrl?: string | undefined
  onProgress?: (line: string) => void
}

// Any number will do, as long as every migration takes the same.
const MIGRATION_LOCK = 7_266_101

/**
 * Brings the database up to date: versioned migrations, then the functions as db/sql has them now
 * (functions.ts), what the application role may do, and then rows from before (backfill.ts). Safe to run at
 * any time and by several at once.
 */
export async function migrate({
  ownerUrl,
  applicationUrl,
  workerUrl = applicationUrl,
  onProgress = () => {},
}: MigrateOptions): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await applyVersioned(drizzle({ client }), {
      migrationsFolder: new URL('./migrations', import.meta.url).pathname,
    })
    const changed = await inTransaction(client, async () => {
      const changed = await applyFunctions(client)
      await grantLedger(client)
      await grantApplication(client, new URL(applicationUrl))
      await grantWorker(client, new URL(workerUrl), new URL(applicationUrl))
      return changed
    })
    await listOldSchemas(client, onProgress)
    onProgress(`database up to date (${changed} function files changed)`)
    await backfillRows(client, onProgress)
  } finally {
    await client.end()
  }
}

// Each comes of another's commit, after which the role or membership is there.
const MOST_TRIES = 5
const MADE_MEANWHILE = ['42710', '23505'] // duplicate_object; unique_violation, where both were under way

/**
 * Functions come with who may execute them. Roles are of the server: where another database's migration makes
 * the same ones at the same time, all of it is done once more.
 */
async function inTransaction<T>(client: pg.Client, run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    await client.query('begin')
    try {
      const result = await run()
      await client.query('commit')
      return result
    } catch (error) {
      await client.query('rollback')
      const isRace = error instanceof pg.DatabaseError && MADE_MEANWHILE.includes(error.code ?? '')
      if (!isRace || tries === MOST_TRIES) throw error
    }
  }
}

/** Says which stored schemas of event types no new one may be; they go on, each check under a limit of time. */
async function listOldSchemas(client: pg.Client, onProgress: (line: string) => void) {
  const { rows } = await client.query<{ workspace: string; name: string; schema: object }>(
    'select workspace, name, schema from event_type order by workspace, name',
  )
  for (const { workspace, name, schema } of rows) {
    for (const problem of schemaProblems({ ...schema })) {
      onProgress(
        `event type ${name} of ${workspace}: ${problem}. Its events may be refused; update its schema.`,
      )
    }
  }
}

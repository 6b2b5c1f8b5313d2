import { sql } from 'drizzle-orm'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { actorNow } from './acting.ts'
import { afterCommit, type CommitOutput } from './after-commit.ts'
import { type Client, type Pool, sharesOf } from './pool.ts'
import * as schema from './schema/index.ts'
import { onceMoreWhenReplaced } from './when-replaced.ts'

export type Db = NodePgDatabase<typeof schema>

const workspaceOf = new WeakMap<Client, string>()
const dbOf = new WeakMap<Client, Db>()
const clients = new WeakMap<Db, Client>()

/** The connection of a transaction, or of a read, of this file. */
export function clientOf(db: Db): Client {
  const client = clients.get(db)
  if (client === undefined) throw new Error('not made by transact or inWorkspace')
  return client
}

/**
 * Runs `read` on a connection whose row security shows this workspace alone.
 * A connection remembers the workspace it last served, so that the usual read
 * costs one round trip.
 */
export async function inWorkspace<T>(
  pool: Pool,
  workspace: string,
  read: (db: Db) => Promise<T>,
): Promise<T> {
  const shares = sharesOf(pool)
  if (shares === undefined) return onConnection(pool, workspace, read)
  return shares.use(workspace, undefined, () => onConnection(pool, workspace, read))
}

async function onConnection<T>(
  pool: Pool,
  workspace: string,
  read: (db: Db) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    if (workspaceOf.get(client) !== workspace) {
      await client.query({
        name: 'use_workspace',
        text: `select set_config('vinr.workspace', $1, false)`,
        values: [workspace],
      })
      workspaceOf.set(client, workspace)
    }
    return await onceMoreWhenReplaced(() => read(dbOn(client)))
  } catch (error) {
    if (isConnectionLoss(error)) broken = error
    throw error
  } finally {
    client.release(broken)
  }
}

/** Drizzle on this connection, made once: it looks through the whole schema for relations. */
function dbOn(client: Client): Db {
  const known = dbOf.get(client)
  if (known !== undefined) return known
  const db = drizzle({ client, schema })
  dbOf.set(client, db)
  clients.set(db, client)
  return db
}

/**
 * Runs `write` in one transaction of this workspace; a write takes its transaction first. What it wrote for
 * others goes to whoever listens on the pool (outbox.ts).
 */
export async function transact<T>(
  pool: Pool,
  workspace: string,
  write: (tx: Db) => Promise<T>,
): Promise<T> {
  const actor = actorNow()
  const { result, written } = await inWorkspace(pool, workspace, (db) =>
    inTransaction(clientOf(db), actor, async () => {
      const result = await write(db)
      const { rows } = await db.execute<{ written: CommitOutput | null }>(
        sql`select ledger.outbox_written() as written`,
      )
      return { result, written: rows[0]?.written ?? null }
    }),
  )
  afterCommit(pool, workspace, written)
  return result
}

/** Not drizzle's: the transaction begins and is told who acts in one round trip, which takes text without parameters. */
async function inTransaction<T>(
  client: Client,
  actor: string | undefined,
  run: () => Promise<T>,
): Promise<T> {
  const told =
    actor === undefined ? '' : `; select set_config('vinr.actor', ${pg.escapeLiteral(actor)}, true)`
  try {
    await client.query(`begin${told}`)
    const result = await run()
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}

function isConnectionLoss(error: unknown): error is Error {
  return (
    error instanceof Error &&
    /terminated|Connection|ECONN|57P/.test(`${error.message} ${'code' in error ? error.code : ''}`)
  )
}

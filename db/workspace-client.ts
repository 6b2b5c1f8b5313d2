import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { type Client, type Pool, sharesOf } from './pool.ts'
import * as schema from './schema/index.ts'

export type Db = NodePgDatabase<typeof schema>

const workspaceOf = new WeakMap<Client, string>()

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
    return await read(drizzle({ client, schema }))
  } catch (error) {
    if (isConnectionLoss(error)) broken = error
    throw error
  } finally {
    client.release(broken)
  }
}

/** Runs `write` in one transaction of this workspace; a write takes its transaction first. */
export async function transact<T>(
  pool: Pool,
  workspace: string,
  write: (tx: Db) => Promise<T>,
): Promise<T> {
  return inWorkspace(pool, workspace, (db) => db.transaction((tx) => write(tx as unknown as Db)))
}

function isConnectionLoss(error: unknown): error is Error {
  return (
    error instanceof Error &&
    /terminated|Connection|ECONN|57P/.test(`${error.message} ${'code' in error ? error.code : ''}`)
  )
}

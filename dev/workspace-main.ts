import { parseArgs } from 'node:util'
import { workspaceCommands } from '../app/workspaces.ts'
import { commandDatabase } from '../db/command-database.ts'
import { createPool } from '../db/pool.ts'
import { newId } from '../domain/ids.ts'

const USAGE = `Usage (the database: DATABASE_URL, the application role, else npm start's of this folder):
  npm run workspace -- create <name> [--live]
  npm run workspace -- key <ws_id> [--publishable] [--expires <ISO date>]
  npm run workspace -- revoke <ws_id> <key_id>`

/** `npm run workspace`: tenants and their keys. A key is printed once and never again. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      live: { type: 'boolean', default: false },
      publishable: { type: 'boolean', default: false },
      expires: { type: 'string' },
    },
  })
  const [verb, first, second] = positionals
  if (!first) throw new Error(USAGE)
  const { url } = commandDatabase('DATABASE_URL')
  const pool = createPool({ url, max: 1, applicationName: 'vinr-workspace' })
  const activities = workspaceCommands({ pool })
  try {
    if (verb === 'create') {
      const workspace = newId('ws')
      print({ workspace, ...(await activities.createWorkspace(workspace, first, values.live)) })
    } else if (verb === 'key') {
      if (values.live) throw new Error("--live: the mode of a key is its workspace's")
      const kind = values.publishable ? 'publishable' : 'secret'
      print(await activities.createKey(first, kind, expiryOf(values.expires)))
    } else if (verb === 'revoke' && second) {
      const revoked = await activities.revokeKey(first, second, new Date())
      if (!revoked) throw new Error(`${first} has no key ${second}`)
      print({ revoked: second })
    } else throw new Error(USAGE)
  } finally {
    await pool.end()
  }
}

function expiryOf(text: string | undefined): Date | null {
  if (text === undefined) return null
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) throw new Error(`--expires: not a date: ${text}`)
  return date
}

const print = (value: object) => console.log(JSON.stringify(value, null, 2))

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})

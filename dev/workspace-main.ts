import { parseArgs } from 'node:util'
import { workspaceActivities } from '../activities/workspace.ts'
import { readConfig } from '../config.ts'
import { createPool } from '../db/pool.ts'
import { newId } from '../domain/ids.ts'

const USAGE = 'usage: npm run workspace -- <name> [--live]'

/**
 * `npm run workspace -- <name> [--live]`: a new workspace with its keys, which are printed once, as
 * JSON, and never again. Reads DATABASE_URL.
 */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { live: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  const [name] = positionals
  if (name === undefined || positionals.length > 1) throw new Error(USAGE)
  const pool = createPool({
    url: readConfig().databaseUrl,
    max: 1,
    applicationName: 'vinr-workspace',
  })
  try {
    const workspace = newId('ws')
    const keys = await workspaceActivities({ pool }).createWorkspace(workspace, name, values.live)
    console.log(JSON.stringify({ workspace, ...keys }, null, 2))
  } finally {
    await pool.end()
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})

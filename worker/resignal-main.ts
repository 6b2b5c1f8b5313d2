import { commandDatabase } from '../db/command-database.ts'
import { createPool } from '../db/pool.ts'
import { connectEngine } from '../temporal/connect.ts'
import { readConnection } from '../temporal/settings.ts'
import { resignal } from './resignal.ts'

/**
 * `npm run resignal`: gives Temporal the run of everything that waits, from the database alone. For after a
 * restore or a failover with loss of either database; harmless at any other time. DATABASE_URL is the
 * worker's, else the database is that of the stack which runs on this folder; Temporal's variables are the worker's.
 */
async function main(): Promise<void> {
  const wrong: string[] = []
  const connection = readConnection(process.env, (variable, message) => {
    wrong.push(`${variable}: ${message}`)
  })
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  const taskQueue = process.env.TEMPORAL_TASK_QUEUE || 'engagement'
  const url = process.env.DATABASE_URL || commandDatabase('MIGRATION_DATABASE_URL').url
  const pool = createPool({ url, max: 1, applicationName: 'vinr-resignal' })
  const engine = await connectEngine({ ...connection, taskQueue })
  console.log(
    `Signals or starts the workflow of everything that waits, on ${connection.address}, namespace ${connection.namespace}, task queue ${taskQueue}. Harmless: nothing is written, and a run that is there looks at its row again.`,
  )
  try {
    const done = await resignal({
      pool,
      engine,
      onProgress: (kind, sent) => console.log(`${kind}: ${sent}`),
      onRefused: ({ workspace, workflow_id }, error) =>
        console.error(`refused: ${workspace} ${workflow_id}`, error),
    })
    console.table(done)
    process.exitCode = Object.values(done).some(({ refused }) => refused > 0) ? 1 : 0
  } finally {
    await engine.close()
    await pool.end()
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
})

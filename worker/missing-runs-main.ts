import { commandDatabase } from '../db/command-database.ts'
import { createPool } from '../db/pool.ts'
import { connectEngine } from '../temporal/connect.ts'
import { readConnection } from '../temporal/settings.ts'
import { findMissingRuns } from './missing-runs.ts'

/**
 * `npm run reconcile:runs`: proves, as the owner of the database (MIGRATION_DATABASE_URL), that whatever waits in
 * it has its run in Temporal (TEMPORAL_ADDRESS and the other variables of the worker). Prints each workflow that
 * lacks one; exit code 1 where there is one.
 */
async function main(): Promise<void> {
  const wrong: string[] = []
  const connection = readConnection(process.env, (variable, message) =>
    wrong.push(`${variable}: ${message}`),
  )
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  const { url } = commandDatabase('MIGRATION_DATABASE_URL')
  const taskQueue = process.env.TEMPORAL_TASK_QUEUE || 'engagement'
  const pool = createPool({ url, max: 1, applicationName: 'vinr-reconcile-runs' })
  try {
    const engine = await connectEngine({ ...connection, taskQueue })
    try {
      const missing = await findMissingRuns(pool, engine)
      for (const { workspace, workflow_type, workflow_id } of missing) {
        console.log(`${workspace}  ${workflow_type}  ${workflow_id}: no run, and no outbox row`)
      }
      console.log(
        missing.length === 0
          ? 'Whatever waits has its run.'
          : `${missing.length} workflows have no run.`,
      )
      process.exitCode = missing.length === 0 ? 0 : 1
    } finally {
      await engine.close()
    }
  } finally {
    await pool.end()
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
})

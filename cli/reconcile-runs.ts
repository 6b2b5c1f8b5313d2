import { findMissingRuns } from '../app/missing-runs.ts'
import { commandDatabase } from '../db/command-database.ts'
import { withPool } from './database.ts'
import { temporalOf, withEngine } from './temporal.ts'

/**
 * `vinr reconcile --runs`: proves that whatever waits in the database has its run in Temporal. Prints each
 * workflow that lacks one. True where none does.
 */
export async function reconcileRuns(): Promise<boolean> {
  const temporal = temporalOf(process.env)
  const { url } = commandDatabase('MIGRATION_DATABASE_URL')
  return withPool('reconcile-runs', url, (pool) =>
    withEngine(temporal, async (engine) => {
      const missing = await findMissingRuns(pool, engine)
      for (const { workspace, workflow_type, workflow_id } of missing) {
        console.log(`${workspace}  ${workflow_type}  ${workflow_id}: no run, and no outbox row`)
      }
      console.log(
        missing.length === 0
          ? 'Whatever waits has its run.'
          : `${missing.length} workflows have no run.`,
      )
      return missing.length === 0
    }),
  )
}

import { resignal } from '../app/resignal.ts'
import { commandDatabase } from '../db/command-database.ts'
import { withPool } from './database.ts'
import { temporalOf, withEngine } from './temporal.ts'

/**
 * `vinr resignal`: gives Temporal the run of everything that waits, from the database alone. True where
 * Temporal refused none.
 */
export async function resignalAll(): Promise<boolean> {
  const temporal = temporalOf(process.env)
  const url = process.env.DATABASE_URL || commandDatabase('MIGRATION_DATABASE_URL').url
  return withPool('resignal', url, (pool) =>
    withEngine(temporal, async (engine) => {
      console.log(
        `Signals or starts the workflow of everything that waits, on ${temporal.address}, namespace ${temporal.namespace}, task queue ${temporal.taskQueue}. Harmless: nothing is written, and a run that is there checks its row again.`,
      )
      const done = await resignal({
        pool,
        engine,
        onProgress: (kind, sent) => console.log(`${kind}: ${sent}`),
        onRefused: ({ workspace, workflow_id }, error) =>
          console.error(`refused: ${workspace} ${workflow_id}`, error),
      })
      console.table(done)
      return Object.values(done).every(({ refused }) => refused === 0)
    }),
  )
}

import type { Command } from 'commander'
import { commandDatabase } from '../db/command-database.ts'
import { ending, moreHelp } from './command.ts'
import { temporalOf, withEngine, withPool } from './connections.ts'

const NOT_DONE = 2 // 1 says that Temporal refused some

export function addResignal(program: Command): void {
  program
    .command('resignal')
    .summary('give Temporal the run of everything that waits, after a restore')
    .description(
      'give Temporal the run of everything that waits; exit code 1 where it refused some, 2 where it failed',
    )
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : NOT_DONE))
    .addHelpText(
      'after',
      '\nFor after a restore, or a failover with loss, of either database; harmless at any other time.',
    )
    .addHelpText(
      'after',
      moreHelp(['vinr resignal'], {
        DATABASE_URL: "the worker's role",
        'TEMPORAL_…': 'the variables of the worker',
      }),
    )
    .action(ending(NOT_DONE, resignalAll))
}

/** Gives Temporal the run of everything that waits, from the database alone. True where Temporal refused none. */
async function resignalAll(): Promise<boolean> {
  const temporal = await temporalOf(process.env)
  const url = process.env.DATABASE_URL || commandDatabase('MIGRATION_DATABASE_URL').url
  const { resignal } = await import('../app/resignal.ts')
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

import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { commandDatabase } from '../db/command-database.ts'
import { ending, moreHelp } from './command.ts'
import { temporalOf, withEngine, withPool } from './connections.ts'

const NOT_PROVED = 2 // 1 says that something does not hold; this, that nobody could look

export function addReconcile(program: Command): void {
  program
    .command('reconcile')
    .summary('prove the books, or with --runs that whatever waits has its run')
    .description(
      'prove the books, or the runs; exit code 1 where something does not hold, 2 where nobody could look',
    )
    .option('--runs', 'prove that whatever waits in the database has its run in Temporal')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : NOT_PROVED))
    .addHelpText(
      'after',
      moreHelp(['vinr reconcile', 'vinr reconcile --runs'], {
        MIGRATION_DATABASE_URL: 'the owner role',
        'TEMPORAL_…': 'the variables of the worker, for --runs',
      }),
    )
    .action(
      ending(NOT_PROVED, ({ runs }: { runs?: boolean }) =>
        runs ? reconcileRuns() : reconcileBooks(),
      ),
    )
}

const BOOKS = new URL('../db/reconcile.sql', import.meta.url)

/** Proves the books and prints each line that does not hold. True where all do. */
async function reconcileBooks(): Promise<boolean> {
  const { url } = commandDatabase('MIGRATION_DATABASE_URL')
  const sql = await readFile(BOOKS, 'utf8')
  return withPool('reconcile', url, async (pool) => {
    const { rows } = await pool.query<Record<string, string>>(sql)
    for (const { workspace, subject, rule, detail } of rows) {
      console.log(`${workspace}  ${subject}  ${rule}: ${detail}`)
    }
    console.log(rows.length === 0 ? 'The books hold.' : `${rows.length} lines do not hold.`)
    return rows.length === 0
  })
}

/**
 * Proves that whatever waits in the database has its run in Temporal. Prints each workflow that lacks one.
 * True where none does.
 */
async function reconcileRuns(): Promise<boolean> {
  const temporal = await temporalOf(process.env)
  const { url } = commandDatabase('MIGRATION_DATABASE_URL')
  const { findMissingRuns } = await import('../app/missing-runs.ts')
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

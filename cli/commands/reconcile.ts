import type { Command } from 'commander'
import { ending } from './ending.ts'
import { moreHelp } from './help.ts'

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
      ending(NOT_PROVED, async ({ runs }: { runs?: boolean }) => {
        if (runs) return (await import('../reconcile-runs.ts')).reconcileRuns()
        return (await import('../reconcile.ts')).reconcileBooks()
      }),
    )
}

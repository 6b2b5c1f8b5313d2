import type { Command } from 'commander'
import { ending } from './ending.ts'
import { moreHelp } from './help.ts'

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
    .action(ending(NOT_DONE, async () => (await import('../resignal.ts')).resignalAll()))
}

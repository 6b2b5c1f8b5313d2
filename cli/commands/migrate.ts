import type { Command } from 'commander'
import { ending } from './ending.ts'
import { moreHelp } from './help.ts'

export function addMigrate(program: Command): void {
  program
    .command('migrate')
    .description('make the database roles, and bring tables and functions up to date')
    .addHelpText(
      'after',
      moreHelp(['vinr migrate'], {
        MIGRATION_DATABASE_URL: 'the owner role (required)',
        DATABASE_URL: 'the application role (required)',
        WORKER_DATABASE_URL: "the worker's role, where it has one of its own",
        ADMIN_DATABASE_URL: 'an administrator, who makes owner and database where they are absent',
      }),
    )
    .action(
      ending(1, async () => {
        const { migrateDatabase } = await import('../migrate.ts')
        await migrateDatabase(process.env)
      }),
    )
}

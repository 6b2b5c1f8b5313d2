import type { Command } from 'commander'
import { ending, moreHelp } from './command.ts'

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
    .action(ending(1, () => migrateDatabase(process.env)))
}

/** Makes the roles and brings the schema up to date. */
async function migrateDatabase(env: NodeJS.ProcessEnv): Promise<void> {
  const ownerUrl = env.MIGRATION_DATABASE_URL
  const applicationUrl = env.DATABASE_URL
  if (!ownerUrl || !applicationUrl) {
    throw new Error(
      'MIGRATION_DATABASE_URL (owner role) and DATABASE_URL (application role) must be set',
    )
  }
  if (env.ADMIN_DATABASE_URL) {
    const { createOwner } = await import('../db/owner.ts')
    await createOwner(env.ADMIN_DATABASE_URL, ownerUrl)
  }
  const { migrate } = await import('../db/migrate.ts')
  const workerUrl = env.WORKER_DATABASE_URL || undefined
  await migrate({ ownerUrl, applicationUrl, workerUrl, onProgress: (line) => console.log(line) })
}

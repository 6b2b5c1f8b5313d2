import { migrate } from '../db/migrate.ts'
import { createOwner } from '../db/owner.ts'

/** `vinr migrate`: makes the roles and brings the schema up to date. */
export async function migrateDatabase(env: NodeJS.ProcessEnv): Promise<void> {
  const ownerUrl = env.MIGRATION_DATABASE_URL
  const applicationUrl = env.DATABASE_URL
  if (!ownerUrl || !applicationUrl) {
    throw new Error(
      'MIGRATION_DATABASE_URL (owner role) and DATABASE_URL (application role) must be set',
    )
  }
  if (env.ADMIN_DATABASE_URL) await createOwner(env.ADMIN_DATABASE_URL, ownerUrl)
  const workerUrl = env.WORKER_DATABASE_URL || undefined
  await migrate({ ownerUrl, applicationUrl, workerUrl, onProgress: (line) => console.log(line) })
}

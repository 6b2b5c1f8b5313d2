import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { migrate } from '../../../db/migrate.ts'
import { createOwner } from '../../../db/owner.ts'
import { startPostgres } from '../../../dev/postgres.ts'
import { shared } from './shared.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The administrator's URL of the run's Postgres; databases are copied from `template`. */
    postgres: { adminUrl: string; template: string }
  }
}

/** One Postgres for the whole run; each suite has its own database in it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { value, release } = await shared('postgres', start)
  project.provide('postgres', value)
  return release
}

async function start() {
  const dataDir = await mkdtemp(join(tmpdir(), 'vinr-test-postgres-'))
  const { adminUrl, port, stop } = await startPostgres({ dataDir, durable: false })
  const template = 'template_engagement'
  const on = (user: string) => `postgres://${user}:${user}@127.0.0.1:${port}/${template}`
  await createOwner(adminUrl, on('engagement_owner'))
  await showAll(adminUrl, 'engagement_owner')
  await migrate({ ownerUrl: on('engagement_owner'), applicationUrl: on('engagement_app') })
  return {
    value: { adminUrl, template },
    stop: async () => {
      await stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** What only the ledger's own functions call is looked for by name where a test calls it as the owner. */
async function showAll(adminUrl: string, owner: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  await client.query(`alter role ${owner} set search_path = public, ledger, ledger_private`)
  await client.end()
}

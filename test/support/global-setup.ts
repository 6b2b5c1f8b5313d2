import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { migrate } from '../../db/migrate.ts'
import { createOwner } from '../../db/owner.ts'
import { startPostgres } from '../../dev/postgres.ts'
import { temporalBinary } from '../../dev/temporal/binary.ts'
import { startTemporal } from '../../dev/temporal/server.ts'
import { SEARCH_ATTRIBUTES } from '../../temporal/names.ts'
import { workflowBundle } from '../../worker/bundle.ts'

export type Servers = {
  /** The administrator's URL of the test run's Postgres; databases are copied from `template`. */
  adminUrl: string
  template: string
  temporalAddress: string
  temporalBinary: string
  bundlePath: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    servers: Servers
  }
}

/** One Postgres and one Temporal for the whole run; each suite has its own database and task queue in them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'vinr-test-'))
  const onProgress = (line: string) => console.log(line)
  const binary = await temporalBinary({ onProgress })
  const [postgres, temporal, bundle] = await Promise.all([
    startPostgres({ dataDir: join(folder, 'postgres'), durable: false }),
    startTemporal({
      binary,
      namespace: 'default',
      searchAttributes: Object.fromEntries(
        SEARCH_ATTRIBUTES.map(({ name }) => [name, 'Keyword' as const]),
      ),
    }),
    workflowBundle(),
  ])
  const bundlePath = join(folder, 'workflows.js')
  await writeFile(bundlePath, bundle.code)
  const template = 'template_engagement'
  const on = (user: string) => `postgres://${user}:${user}@127.0.0.1:${postgres.port}/${template}`
  await createOwner(postgres.adminUrl, on('engagement_owner'))
  await migrate({ ownerUrl: on('engagement_owner'), applicationUrl: on('engagement_app') })
  project.provide('servers', {
    adminUrl: postgres.adminUrl,
    template,
    temporalAddress: temporal.address,
    temporalBinary: binary,
    bundlePath,
  })
  return async () => {
    await Promise.all([temporal.stop(), postgres.stop()])
    await rm(folder, { recursive: true, force: true })
  }
}

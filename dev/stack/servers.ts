import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Postgres, startPostgres } from '../postgres.ts'
import type { Progress } from '../progress.ts'
import { temporalBinary } from '../temporal/binary.ts'
import { prepareDatabase } from '../temporal/database.ts'
import { startTemporal, type Temporal } from '../temporal/server.ts'
import type { StackPorts } from './ports.ts'

/** What the servers need to know to start, and to start again. */
export type Place = { dataDir: string; ports: StackPorts; namespace: string; progress: Progress }

/** Makes the folder, or one there is, its owner's alone: what servers keep in it is everybody's points and names. */
export function ownersFolder(folder: string): void {
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o700)
}

export async function runPostgres({ dataDir, ports, progress }: Place): Promise<Postgres> {
  const started = startPostgres({
    dataDir: join(dataDir, 'postgres'),
    logFile: join(dataDir, 'logs', 'postgres.log'),
    port: ports.postgres,
    onProgress: progress.line,
  })
  const postgres = await progress.during('starting Postgres', started)
  progress.line(`Postgres on 127.0.0.1:${postgres.port}`)
  return postgres
}

export async function runTemporal({
  dataDir,
  ports,
  namespace,
  progress,
}: Place): Promise<Temporal> {
  const folder = join(dataDir, 'temporal')
  ownersFolder(folder)
  const options = {
    binary: await temporalBinary({ onProgress: progress.line }),
    dbFile: join(folder, 'temporal.db'),
    logFile: join(dataDir, 'logs', 'temporal.log'),
    namespace,
    searchAttributes: await searchAttributes(),
    onProgress: progress.line,
  }
  await prepareDatabase(options)
  const started = startTemporal({ ...options, port: ports.temporal, uiPort: ports.temporalUi })
  const temporal = await progress.during('starting Temporal', started)
  progress.line(`Temporal on ${temporal.address}, its UI on ${temporal.uiUrl}`)
  return temporal
}

/** Loaded late: the SDK takes a while to load, and the servers need not wait for it. */
async function searchAttributes() {
  const [{ SEARCH_ATTRIBUTES }, { attributeTypes }] = await Promise.all([
    import('../../temporal/names.ts'),
    import('../temporal/ready.ts'),
  ])
  return attributeTypes(SEARCH_ATTRIBUTES)
}

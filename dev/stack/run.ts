import { join, resolve } from 'node:path'
import type { StackDatabase } from '../../db/command-database.ts'
import type { Demo } from '../demo.ts'
import type { Progress } from '../progress.ts'
import { keepDemoKeys, publishContract, readDemoKeys } from './contract.ts'
import { choosePorts, rememberPorts } from './ports.ts'
import { ignoredVariables, programsOf, startProgram } from './programs.ts'
import { type Place, runPostgres, runTemporal } from './servers.ts'
import { supervise } from './supervise.ts'
import { changesOfCode, rerunOnChange } from './watch.ts'

const PROJECT = resolve(import.meta.dirname, '..', '..')

/**
 * Brings everything up, says so, and keeps it up; with `watched` the worker and the API run the code as
 * it is after each change. Resolves when `closing` is aborted; rejects where
 * something does not start, or a server does not stay up.
 */
export async function run(
  dataDir: string,
  env: NodeJS.ProcessEnv,
  progress: Progress,
  { closing, watched }: { closing: AbortSignal; watched: boolean },
) {
  for (const name of ignoredVariables(env)) {
    progress.line(`${name} is set, and not used: npm start brings its own`)
  }
  const portsFile = join(dataDir, 'ports.json')
  const chosen = await choosePorts(portsFile, env, progress.line)
  const place: Place = {
    dataDir,
    ports: chosen,
    namespace: env.TEMPORAL_NAMESPACE || 'default',
    progress,
  }

  const [{ postgres, databaseUrls }, temporal] = await Promise.all([
    postgresWithSchema(place),
    runTemporal(place),
  ])
  place.ports = {
    ...chosen,
    postgres: postgres.port,
    temporal: temporal.port,
    temporalUi: temporal.uiPort ?? chosen.temporalUi,
  }
  rememberPorts(portsFile, place.ports)

  const databaseUrl = databaseUrls.application
  const programs = programsOf(place, databaseUrls, env)
  const [demo, worker, api] = await Promise.all([
    demoData(dataDir, databaseUrl, progress),
    progress.during('starting the worker', startProgram(programs.worker)),
    progress.during('starting the API', startProgram(programs.api)),
  ])
  const urls = { apiUrl: new URL(programs.api.readyUrl).origin, temporalUi: temporal.uiUrl ?? '' }
  const { DEMO_WORKSPACE } = await import('../demo.ts')
  const database: StackDatabase = {
    DATABASE_URL: databaseUrl,
    MIGRATION_DATABASE_URL: databaseUrls.owner,
    workspace: DEMO_WORKSPACE,
  }
  publishContract(dataDir, urls, demo, database, progress)

  const common = { closing, onProgress: progress.line }
  const always = { ...common, restarts: Number.POSITIVE_INFINITY }
  const few = { ...common, restarts: 3 } // a server that keeps dying needs a person
  const start = {
    worker: () => startProgram(programs.worker),
    api: () => startProgram(programs.api),
  }
  const keptUp = watched
    ? [
        rerunOnChange([worker, api], {
          ...common,
          changes: changesOfCode(PROJECT, closing),
          prepare: (files) => schemaOf(files, postgres.adminUrl, progress),
          starts: [start.worker, start.api],
        }),
      ]
    : [
        supervise('The worker', worker, start.worker, always),
        supervise('The API', api, start.api, always),
      ]
  await Promise.all([
    ...keptUp,
    supervise(
      'Postgres',
      postgres,
      () => onSamePort(place.ports.postgres, runPostgres(place)),
      few,
    ),
    supervise(
      'Temporal',
      temporal,
      () => onSamePort(place.ports.temporal, runTemporal(place)),
      few,
    ),
  ])
}

/** Postgres with the schema of this version in it. */
async function postgresWithSchema(place: Place) {
  const starting = runPostgres(place)
  // Loading the migrations' library takes longer than a warm Postgres takes to start.
  const [{ prepareSchema }, postgres] = await Promise.all([import('./database.ts'), starting])
  const prepared = prepareSchema(postgres.adminUrl, place.progress.line)
  const databaseUrls = await place.progress.during('bringing the database up to date', prepared)
  return { postgres, databaseUrls }
}

/** Brings the database up to date where what makes it is among the files. */
async function schemaOf(files: string[], adminUrl: string, progress: Progress): Promise<void> {
  if (!files.some((file) => file.startsWith('db/sql/') || file.startsWith('db/migrations/'))) return
  const { prepareSchema } = await import('./database.ts')
  await prepareSchema(adminUrl, progress.line)
}

async function demoData(dataDir: string, databaseUrl: string, progress: Progress): Promise<Demo> {
  const { newDemoKeys, seedDemo } = await import('../demo.ts')
  const keys = readDemoKeys(dataDir) ?? newDemoKeys()
  keepDemoKeys(dataDir, keys) // first, so that a crash in between leaves no keys that nobody knows
  const seeded = seedDemo({ databaseUrl, keys, onProgress: progress.line })
  return await progress.during('writing the demo data', seeded)
}

/** The others know a server by its port, so one that comes back with another is of no use. */
async function onSamePort<T extends { port: number; stop(): Promise<void> }>(
  port: number,
  starting: Promise<T>,
): Promise<T> {
  const server = await starting
  if (server.port === port) return server
  await server.stop()
  throw new Error(`Port ${port} was taken meanwhile`)
}

import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Child, describeExit, type Exit, startChild, tailOf } from '../children.ts'
import { freePort, untilListening } from '../ports.ts'
import type { AttributeTypes } from './ready.ts'
import { serveUi } from './ui.ts'

export type TemporalOptions = {
  /** From `temporalBinary`. */
  binary: string
  /** Kept across restarts; in memory where absent. Its folder must exist. */
  dbFile?: string
  /** For `dbFile`; the measured ones unless given. */
  pragmas?: SqlitePragmas
  /** Taken where free; `address` of the result says which one it became. */
  port?: number
  /** Likewise; false starts no UI. */
  uiPort?: number | false
  namespace?: string
  searchAttributes?: AttributeTypes
  logFile?: string
  onProgress?: (line: string) => void
}

export type Temporal = {
  /** host:port of the frontend. */
  address: string
  port: number
  pid: number
  uiUrl: string | null
  uiPort: number | null
  /** Resolves when the server is gone, asked or not. */
  exited: Promise<Exit>
  stop(): Promise<void>
  /** SIGKILL, as a crash would. */
  kill(): void
}

const START_TIMEOUT_MS = 60_000 // a kept file after a crash is recovered first
const START_ATTEMPTS = 3 // it picks some ports itself, and another process may be faster
const STOP_GRACE_MS = 10_000

/**
 * Starts the development server on 127.0.0.1 and resolves when its namespace can be used. Rejects
 * where it does not come up, quoting the end of its log. Nothing of it talks to the internet.
 */
export async function startTemporal(options: TemporalOptions): Promise<Temporal> {
  const namespace = options.namespace ?? 'default'
  const attributes = options.searchAttributes ?? {}
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(attempt === 1 ? options.port : undefined)
    const uiPort = await chooseUiPort(options.uiPort, attempt)
    const innerUiPort = uiPort === null ? null : await freePort()
    const logFile = options.logFile ?? defaultLog(options.dbFile, port)
    const child = await startChild({
      name: 'temporal',
      command: options.binary,
      args: serverArgs({ ...options, namespace }, port, innerUiPort),
      logFile,
      env: { ...GO_ENVIRONMENT, ...quietEnvironment() },
      graceMs: STOP_GRACE_MS,
    })
    const failure = await failureToStart(child, port, namespace, attributes)
    if (failure === null) {
      if (uiPort !== null && innerUiPort !== null) await uiBeside(child, uiPort, innerUiPort)
      return running(child, port, uiPort)
    }
    const log = tailOf(logFile)
    if (!/address already in use|can't set .* port/.test(log) || attempt === START_ATTEMPTS) {
      throw new Error(`Temporal did not start: ${failure}. The end of ${logFile}:\n${log}`)
    }
  }
}

/** The UI's door, which is there as long as the server. */
async function uiBeside(child: Child, port: number, innerPort: number) {
  const ui = await serveUi(port, innerPort).catch(async (error: unknown) => {
    await child.stop()
    throw error
  })
  void child.exited.then(() => ui.close())
}

async function chooseUiPort(wanted: number | false | undefined, attempt: number) {
  if (wanted === false || wanted === undefined) return null
  return await freePort(attempt === 1 ? wanted : undefined)
}

function defaultLog(dbFile: string | undefined, port: number): string {
  return dbFile ? `${resolve(dbFile)}.log` : join(tmpdir(), `temporal-${port}.log`)
}

function serverArgs(options: TemporalOptions, port: number, uiPort: number | null): string[] {
  const { binary, dbFile, namespace = 'default', searchAttributes = {} } = options
  const pragmas = options.pragmas ?? SQLITE_PRAGMAS
  return [
    'server',
    'start-dev',
    '--ip=127.0.0.1',
    `--port=${port}`,
    `--namespace=${namespace}`,
    '--log-level=warn',
    ...dynamicConfigArgs(),
    ...Object.entries(searchAttributes).flatMap(([name, type]) => [
      '--search-attribute',
      `${name}=${type}`,
    ]),
    ...(dbFile ? [`--db-filename=${resolve(dbFile)}`, ...sqliteArgs(pragmas)] : []),
    ...(uiPort === null ? ['--headless'] : [`--ui-port=${uiPort}`, ...withoutNews(binary)]),
  ]
}

/** The UI fetches news from the internet unless told not to, where it is new enough to be told. */
function withoutNews(binary: string): string[] {
  const help = execFileSync(binary, ['server', 'start-dev', '--help'], { encoding: 'utf8' })
  return help.includes('--ui-disable-news-fetch') ? ['--ui-disable-news-fetch'] : []
}

/** Without the settings that a person's shell may hold for the CLI: they are meant for clients. */
function quietEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_'))
  return Object.fromEntries(own)
}

/** Null once the namespace can be used, else what became of the server. */
async function failureToStart(
  child: Child,
  port: number,
  namespace: string,
  attributes: AttributeTypes,
): Promise<string | null> {
  const ended = new AbortController()
  const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(START_TIMEOUT_MS)])
  const ready = async () => {
    // Loading the SDK's client takes a while, in which the server comes up.
    const [{ untilUsable }] = await Promise.all([
      import('./ready.ts'),
      untilListening(port, signal),
    ])
    await untilUsable(`127.0.0.1:${port}`, namespace, attributes, signal)
    return null
  }
  const gone = child.exited.then(describeExit)
  try {
    return await Promise.race([ready(), gone])
  } catch (error) {
    await child.stop()
    if (signal.aborted) return `not ready within ${START_TIMEOUT_MS / 1000} s`
    return error instanceof Error ? error.message : String(error)
  } finally {
    ended.abort()
  }
}

function running(child: Child, port: number, uiPort: number | null): Temporal {
  return {
    address: `127.0.0.1:${port}`,
    port,
    pid: child.pid,
    uiUrl: uiPort === null ? null : `http://127.0.0.1:${uiPort}`,
    uiPort,
    exited: child.exited,
    stop: async () => void (await child.stop()),
    kill: () => child.kill(),
  }
}

/**
 * Settings of the embedded development server, measured on two cores. Its defaults are meant for a
 * cluster with many shards; on one shard they leave most of the machine idle.
 */
const DYNAMIC_CONFIG = {
  // 20 polls a second and shard by default, which adds 50 ms to each task of each queue.
  'history.transferProcessorMaxPollRPS': 5_000,
  'history.timerProcessorMaxPollRPS': 5_000,
  'history.visibilityProcessorMaxPollRPS': 5_000,
  // One partition: with four, a task waits for a forward to the one that has a poller.
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
  // Writes of one shard at a time: one by default; eight give a quarter more.
  'history.shardIOConcurrency': 8,
  // The development server reads the search attributes' definitions from its database for each use
  // of them, a fifth of what a start costs: a new one would be seen at once. Ours come with the database.
  'system.forceSearchAttributesCacheRefreshOnRead': false,
  // It would ask a server on the internet for newer versions.
  'frontend.enableServerVersionCheck': false,
}

type SqlitePragmas = Record<string, string>

/** For a server with a database file; one in memory has no journal. */
const SQLITE_PRAGMAS: SqlitePragmas = {
  // Twice the throughput of the default journal.
  journal_mode: 'WAL',
  // Safe against a crash of the process; a power cut may lose the last moments (FULL costs 21 %).
  synchronous: 'NORMAL',
  // Pages: a checkpoint for each 16 MB instead of 4; with the heap's setting a tenth of a start.
  wal_autocheckpoint: '4000',
}

/** The server keeps little and allocates much: collecting less often costs it 200 MB of memory. */
const GO_ENVIRONMENT = { GOGC: '400', GOMEMLIMIT: '1GiB' }

export function dynamicConfigArgs(): string[] {
  return flags('--dynamic-config-value', DYNAMIC_CONFIG)
}

function sqliteArgs(pragmas: SqlitePragmas): string[] {
  return flags('--sqlite-pragma', pragmas)
}

function flags(flag: string, values: Record<string, string | number | boolean>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`])
}

import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Child, describeExit, type Exit, startChild, tailOf } from './children.ts'
import { freePort } from './ports.ts'
import { clearLeftover, ensureCluster, SUPERUSER, statusOf } from './postgres/cluster.ts'
import { postgresBinaries, type RunAs, runAs } from './postgres/programs.ts'

type PostgresOptions = {
  /** Created where absent. Nobody else may be using it: a server found on it is stopped. */
  dataDir: string
  /** Taken where free; `port` of the result says which one it became. */
  port?: number
  /** False gives up safety against a crash for speed: for tests. */
  durable?: boolean
  /** `<dataDir>.log` unless given. */
  logFile?: string
  onProgress?: (line: string) => void
}

export type Postgres = {
  port: number
  pid: number
  /** Superuser, database `postgres`. */
  adminUrl: string
  /** Resolves when the server is gone, asked or not. */
  exited: Promise<Exit>
  stop(): Promise<void>
  /** SIGKILL, as a crash would. */
  kill(): void
}

const START_TIMEOUT_MS = 60_000 // recovery replays everything since the last checkpoint
const STOP_GRACE_MS = 20_000 // a fast shutdown writes a checkpoint first
const START_ATTEMPTS = 20 // half a second apart: what a killed server left dies within seconds
const RETRY_AFTER_MS = 500
const CHECK_EVERY_MS = 20 // a check reads one small file

/**
 * Starts the embedded Postgres on 127.0.0.1 with its data in `dataDir`, after clearing away what a
 * crashed run left there. Rejects where the server does not come up, quoting the end of its log.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const dataDir = resolve(options.dataDir)
  const logFile = options.logFile ?? `${dataDir}.log`
  const durable = options.durable ?? true
  const onProgress = options.onProgress ?? (() => {})
  const binaries = await postgresBinaries()
  const password = await ensureCluster(dataDir, binaries, durable, onProgress)
  await clearLeftover(dataDir, onProgress)
  const as = runAs(dataDir, binaries.postgres)
  let port = await freePort(options.port)
  for (let attempt = 1; ; attempt++) {
    const child = await launch(as, binaries.postgres, serverArgs(dataDir, port, durable), logFile)
    const failure = await failureToStart(child, dataDir)
    if (failure === null) return running(child, port, password)
    const log = tailOf(logFile)
    const hindrance = hindranceIn(log)
    if (hindrance === null || attempt === START_ATTEMPTS) {
      throw new Error(`Postgres did not start: ${failure}. The end of ${logFile}:\n${log}`)
    }
    if (hindrance === 'port taken') port = await freePort()
    await delay(RETRY_AFTER_MS)
  }
}

async function launch(as: RunAs, postgres: string, args: string[], logFile: string) {
  const [command = postgres, ...rest] = [...as.prefix, postgres, ...args]
  return await startChild({
    name: 'postgres',
    command,
    args: rest,
    logFile,
    cwd: '/',
    uid: as.uid,
    gid: as.gid,
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    stopSignal: 'SIGINT', // fast: SIGTERM would wait for every client to leave
    graceMs: STOP_GRACE_MS,
  })
}

function serverArgs(dataDir: string, port: number, durable: boolean): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '', // their default directory does not exist everywhere
    max_connections: '100',
    shared_buffers: '256MB',
    // A young table outgrows the plans made for it within seconds; the default looks once a minute.
    autovacuum_naptime: '10s',
    timezone: 'UTC',
    log_timezone: 'UTC',
    lc_messages: 'C',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return ['-D', dataDir, '-p', String(port), ...flags]
}

/** Null once the server accepts connections, else what became of it. */
async function failureToStart(child: Child, dataDir: string): Promise<string | null> {
  const until = performance.now() + START_TIMEOUT_MS
  while (child.running()) {
    if (statusOf(dataDir, child.pid) === 'ready') return null
    if (performance.now() > until) {
      await child.stop()
      return `not ready within ${START_TIMEOUT_MS / 1000} s`
    }
    await delay(CHECK_EVERY_MS)
  }
  return describeExit(await child.exited)
}

/** What a start met that passes, by the end of the log; null where trying again would not help. */
export function hindranceIn(log: string): 'port taken' | 'old processes' | null {
  // The last backends of a killed server write to the same log, also after the new one's own line.
  const own = log.split('\n').filter((line) => !line.includes('unexpected postmaster exit'))
  const last = own.findLast((line) => line.includes('FATAL:')) ?? ''
  if (last.includes('could not create any TCP/IP sockets')) return 'port taken'
  return /shared memory block .* is still in use/.test(last) ? 'old processes' : null
}

function running(child: Child, port: number, password: string): Postgres {
  return {
    port,
    pid: child.pid,
    adminUrl: `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`,
    exited: child.exited,
    stop: async () => void (await child.stop()),
    kill: () => child.kill(),
  }
}

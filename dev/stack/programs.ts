import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Child, describeExit, startChild, tailOf } from '../children.ts'
import { giftCodeKey } from './contract.ts'
import type { Place } from './servers.ts'

type Program = {
  name: string
  /** From the project's folder. */
  entry: string
  env: NodeJS.ProcessEnv
  /** Answers 200 once the program does its work. */
  readyUrl: string
  logFile: string
}

const PROJECT = join(import.meta.dirname, '..', '..')
const READY_WITHIN_MS = 60_000 // a cold disk and a busy machine; a warm start takes some seconds
const CHECK_EVERY_MS = 50
const ANSWER_WITHIN_MS = 3_000
const GRACE_MS = 15_000 // a worker finishes its activities, the API its requests

const OWN = [
  'DATABASE_URL',
  'MIGRATION_DATABASE_URL',
  'WORKER_DATABASE_URL',
  'TEMPORAL_ADDRESS',
  'METRICS_ADDRESS', // API and worker would both listen there
]

// How a secured server is spoken to; the stack's own listens on this machine alone, without TLS.
const OF_ANOTHER_SERVER =
  /^TEMPORAL_(API_KEY|TLS|TLS_.+|CONFIG_FILE|PROFILE|GRPC_META_.+|CODEC_.+)$/

/** Variables that a person may have set for other commands, and that the stack sets itself. */
export function ignoredVariables(env: NodeJS.ProcessEnv): string[] {
  const foreign = Object.keys(env).filter((name) => OF_ANOTHER_SERVER.test(name))
  return [...OWN, ...foreign].filter((name) => env[name])
}

/** How the worker and the API are run against the stack's servers. */
export function programsOf(
  place: Omit<Place, 'progress'>,
  database: { application: string; worker: string },
  env: NodeJS.ProcessEnv,
) {
  const { dataDir, ports, namespace } = place
  const host = env.HOST || '127.0.0.1' // of no concern to the network unless asked
  const own = Object.fromEntries(ignoredVariables(env).map((name) => [name, undefined]))
  const shared = {
    ...env,
    ...own,
    DATABASE_URL: database.application,
    TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}`,
    TEMPORAL_NAMESPACE: namespace,
    DATA_DIR: dataDir,
    GIFT_CODE_KEYS: env.GIFT_CODE_KEYS || giftCodeKey(dataDir),
    HOST: host,
    PORT: String(ports.api),
    WORKER_METRICS_PORT: String(ports.workerMetrics),
  }
  const program = (name: string, port: number): Program => ({
    name,
    entry: `${name}/main.ts`,
    env: name === 'worker' ? { ...shared, DATABASE_URL: database.worker } : shared,
    readyUrl: `http://127.0.0.1:${port}/health/ready`,
    logFile: join(dataDir, 'logs', `${name}.log`),
  })
  return { worker: program('worker', ports.workerMetrics), api: program('api', ports.api) }
}

/** Starts one of the project's own processes, of the code in `folder`, and resolves when it says that it is ready. */
export async function startProgram(program: Program, folder = PROJECT): Promise<Child> {
  const child = await startChild({
    name: program.name,
    command: process.execPath,
    args: ['--import', import.meta.resolve('tsx'), program.entry],
    cwd: folder,
    env: program.env,
    logFile: program.logFile,
    graceMs: GRACE_MS,
  })
  const failure = await failureToBeReady(child, program.readyUrl)
  if (failure === null) return child
  await child.stop()
  const { name, logFile } = program
  throw new Error(`${name} did not start: ${failure}. The end of ${logFile}:\n${tailOf(logFile)}`)
}

async function failureToBeReady(child: Child, url: string): Promise<string | null> {
  const until = performance.now() + READY_WITHIN_MS
  let answer = 'none'
  while (child.running()) {
    answer = await answerOf(url)
    if (answer === 'ready') return null
    if (performance.now() > until) {
      return `not ready within ${READY_WITHIN_MS / 1000} s, last answer of ${url}: ${answer}`
    }
    await delay(CHECK_EVERY_MS)
  }
  return describeExit(await child.exited)
}

async function answerOf(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
    const body = await response.text()
    return response.ok ? 'ready' : `${response.status} ${body}`
  } catch {
    return 'none'
  }
}

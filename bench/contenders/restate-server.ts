import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Child, startChild, tailOf } from '../../dev/children.ts'
import { freePort } from '../../dev/ports.ts'
import type { Turn } from '../contender.ts'
import type { Surroundings } from './peer.ts'

const peers = createRequire(new URL('../peers/package.json', import.meta.url))

const START_TIMEOUT_MS = 30_000
const CHECK_EVERY_MS = 50 // its health endpoints say when it is ready; nothing announces it

/** The server's executable, from the npm package for this platform. */
function restateBinary(): string {
  const folder = `@restatedev/restate-server-${process.platform}-${process.arch}`
  return peers.resolve(`${folder}/bin/restate-server`)
}

/** Starts a single-node Restate on its own folder, durable as it is by default. */
export async function startRestate(turn: Turn, partitions: number | null): Promise<Surroundings> {
  const [ingress, admin, node] = [await freePort(), await freePort(), await freePort()]
  const logFile = join(turn.dir, 'restate-server.log')
  const child = await startChild({
    name: 'restate-server',
    command: restateBinary(),
    args: ['--no-logo'],
    logFile,
    cwd: turn.dir,
    env: {
      PATH: process.env.PATH,
      RESTATE_BASE_DIR: join(turn.dir, 'restate'),
      RESTATE_DISABLE_TELEMETRY: 'true',
      RESTATE_LISTEN_MODE: 'tcp',
      RESTATE_BIND_IP: '127.0.0.1',
      RESTATE_BIND_PORT: String(node),
      RESTATE_INGRESS__BIND_PORT: String(ingress),
      RESTATE_ADMIN__BIND_PORT: String(admin),
      RESTATE_LOG_FILTER: 'warn',
      ...(partitions === null ? {} : { RESTATE_DEFAULT_NUM_PARTITIONS: String(partitions) }),
    },
  })
  const urls = { ingress: `http://127.0.0.1:${ingress}`, admin: `http://127.0.0.1:${admin}` }
  await untilHealthy(child, logFile, [`${urls.admin}/health`, `${urls.ingress}/restate/health`])
  return {
    env: { RESTATE_INGRESS: urls.ingress, RESTATE_ADMIN: urls.admin },
    armed: () => countArmed(urls.admin),
    stop: async () => {
      await child.stop()
    },
  }
}

async function untilHealthy(child: Child, logFile: string, urls: string[]): Promise<void> {
  const until = performance.now() + START_TIMEOUT_MS
  while (child.running() && performance.now() < until) {
    const answers = await Promise.all(urls.map((url) => isOk(url)))
    if (answers.every(Boolean)) return
    await delay(CHECK_EVERY_MS)
  }
  await child.stop()
  throw new Error(`Restate did not start:\n${tailOf(logFile)}`)
}

async function isOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url)
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

/** Delayed releases, and workflows that wait, in Restate's own table of invocations. */
async function countArmed(admin: string): Promise<number> {
  const query = `
    SELECT count(*) AS n FROM sys_invocation
    WHERE (target_service_name = 'releases' AND status = 'scheduled')
      OR (target_service_name = 'redemptions' AND status IN ('running', 'suspended'))`
  const response = await fetch(`${admin}/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query }),
  })
  const answer = (await response.json()) as { rows: { n: number }[] }
  return answer.rows[0]?.n ?? Number.NaN
}

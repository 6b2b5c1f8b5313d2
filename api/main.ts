import { createServer, type Server } from 'node:http'
import { DefaultLogger, Runtime } from '@temporalio/worker'
import type { Logger } from 'pino'
import { Registry } from 'prom-client'
import { CallerUses } from '../app/caller-uses.ts'
import { Checks } from '../app/event-schemas/checks.ts'
import { failuresTo } from '../app/failures.ts'
import { RequestLog } from '../app/request-log.ts'
import { readConfig } from '../config.ts'
import { createPool } from '../db/pool.ts'
import { listening } from '../process/http.ts'
import { createLog } from '../process/log.ts'
import { metricsApp, processMetrics } from '../process/metrics.ts'
import { sendAfterCommits } from '../temporal/after-commit.ts'
import { connectInBackground } from '../temporal/connect.ts'
import { productApp } from './server/product.ts'
import { InFlight } from './server/requests.ts'
import { productVersion } from './server/version.ts'

const READS_PER_WRITE = 2 // reads are short: half as many connections serve as many of them
const DRAIN_MS = 10_000 // a request waits as long for its turn at the database, the longest that it does
const IDLE_CHECK_MS = 50
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 600_000 // for an import of a million rows over a slow line; headers have ten seconds
const CHECK_CONNECTIONS_MS = 5_000 // Node looks every 30 s, and a timeout of ten would be forty
const BACKLOG = 4_096 // of connections not yet taken: a rush of members opens a thousand at once, and Node's 511 resets them
const KEEP_ALIVE_MS = 65_000 // longer than the 60 s that load balancers keep a connection
const TIMEOUTS = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: CHECK_CONNECTIONS_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
}

/** The API process: `npm run start:api`, everything from the environment. */
async function main(): Promise<void> {
  const config = readConfig()
  const log = createLog({ level: config.logLevel, name: 'api' })
  const registry = new Registry()
  processMetrics(registry)
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) =>
      log[level === 'ERROR' ? 'error' : 'warn'](meta ?? {}, message),
    ),
  })
  const poolOf = (max: number, applicationName: string) =>
    createPool({
      url: config.databaseUrl,
      max,
      applicationName,
      onError: (error) => log.warn({ err: error }, 'a database connection broke'),
    })
  const pool = poolOf(config.databasePool, 'vinr-api')
  const reads = poolOf(Math.ceil(config.databasePool / READS_PER_WRITE), 'vinr-api-reads')
  const engine = connectInBackground(config.temporal, (error) =>
    log.warn({ err: error, address: config.temporal.address }, 'Temporal does not answer yet'),
  )
  const onFailure = failuresTo(registry, log)
  const inFlight = new InFlight()
  const sender = sendAfterCommits({ pool, engine, onFailure, isBusy: () => inFlight.isAny })
  const checks = new Checks(log)
  const requests =
    config.requestLogDays > 0 ? new RequestLog({ pool, registry, onFailure }) : undefined
  const callerUses = new CallerUses({ pool, onFailure })
  let draining = false
  const { giftCodeKeys, holdMinutes, memberPepper, metricsAddress, metricsToken } = config
  const app = productApp(
    {
      pool,
      reads,
      engine,
      holdMinutes,
      memberPepper,
      allowedAddresses: config.webhookAllowedAddresses,
      giftCodeKeys,
      people: config.people,
      checks,
      callerUses,
      onFailure,
      log,
      registry,
      version: productVersion(),
    },
    {
      draining: () => draining,
      inFlight,
      requests,
      room: () => sender.sender.room(),
      metrics: metricsAddress === undefined ? { token: metricsToken } : 'elsewhere',
      ratePerSecond: config.rateLimitPerSecond,
      trustProxy: config.trustProxy,
      publicUrl: config.publicUrl,
    },
  )
  const server = createServer(TIMEOUTS, app)
  const metrics = createServer(metricsApp(registry, metricsToken, log))
  if (metricsAddress !== undefined) await listening(metrics, metricsAddress)
  await listening(server, { ...config, backlog: BACKLOG })
  log.info({ address: server.address() }, 'api ready')
  checks.start().catch((error: unknown) => log.error({ err: error }, 'no thread checks payloads'))

  await stopSignal()
  draining = true
  await drained(server, log)
  metrics.close()
  metrics.closeAllConnections()
  await checks.close()
  await Promise.all([sender.close(), requests?.close(), callerUses.flush()])
  await engine.close()
  await Promise.all([pool.end(), reads.end()])
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}

/** Takes no more connections, lets what is under way finish, and cuts off what does not. */
async function drained(server: Server, log: Logger): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A kept-alive connection falls idle after its last answer, not before.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS)
  const limit = setTimeout(() => {
    log.warn('requests under way were cut off')
    server.closeAllConnections()
  }, DRAIN_MS)
  await closed
  clearInterval(idle)
  clearTimeout(limit)
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.stack : error)
  process.exit(1)
})

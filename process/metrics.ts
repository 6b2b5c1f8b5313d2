import { createHash, timingSafeEqual } from 'node:crypto'
import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
  Router,
} from 'express'
import type { Logger } from 'pino'
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client'
import { type OutboxBacklog, readOutboxBacklog } from '../db/outbox.ts'
import type { Pool } from '../db/pool.ts'
import { Refused, refuse } from '../domain/refusal.ts'
import { isLocal } from './http.ts'

/** The process's own figures: CPU, memory, event loop. Once for a registry. */
export function processMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry })
}

/** Whom `/metrics` answers besides the processes of its own machine. */
export type MetricsReaders = {
  /** Whoever bears it. */
  readonly token?: string | undefined
  /** Everybody, where there is no token: for an address that only those who may read it reach. */
  readonly open?: boolean
}

/**
 * `GET /metrics`. A request from this machine itself is answered, and one with the token. Everybody
 * else gets 401, or 404 where there is no token, as if there were nothing.
 */
export function metricsRoutes(registry: Registry, readers: MetricsReaders): Router {
  const router = Router()
  router.all('/metrics', onlyFor(readers))
  router.get('/metrics', async (_req, res) => {
    res.type(registry.contentType).send(await registry.metrics())
  })
  router.all('/metrics', (req, res) => {
    res.locals.route = '/metrics'
    res.setHeader('Allow', 'GET, HEAD')
    refuse('method_not_allowed', `There is no ${req.method} /metrics; there is GET, HEAD.`)
  })
  return router
}

/** What a listener of its own serves: the metrics and nothing else. */
export function metricsApp(registry: Registry, token: string | undefined, log: Logger): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use(metricsRoutes(registry, { token, open: true }))
  app.use((req) => refuse('resource_missing', `There is no ${req.method} ${req.path}.`))
  app.use(errorAnswer(log))
  return app
}

const STATUS: Readonly<Record<string, number>> = {
  resource_missing: 404,
  method_not_allowed: 405,
  invalid_api_key: 401,
}

/** Code and sentence of a refusal. Anything else is logged, and told nobody. */
const errorAnswer =
  (log: Logger): ErrorRequestHandler =>
  (error: unknown, _req, res, next) => {
    const refusal = error instanceof Refused ? error.refusal : undefined
    if (refusal === undefined) log.error({ err: error }, 'the metrics were not read')
    if (res.headersSent) return next(error)
    const { code, message } = refusal ?? { code: 'internal_error', message: 'Something broke.' }
    const status = STATUS[code] ?? 500
    if (status === 401) res.setHeader('WWW-Authenticate', 'Bearer')
    res.status(status).json({ error: { code, message } })
  }

function onlyFor({ token, open = false }: MetricsReaders): RequestHandler {
  const wanted = token === undefined ? undefined : digestOf(`Bearer ${token}`)
  return (req, _res, next) => {
    if (isLocal(req)) return next()
    if (wanted === undefined) {
      if (open) return next()
      return refuse('resource_missing', `There is no ${req.method} ${req.path}.`)
    }
    if (timingSafeEqual(digestOf(req.headers.authorization ?? ''), wanted)) return next()
    return refuse('invalid_api_key', 'The metrics are read with the token of METRICS_TOKEN.')
  }
}

/** Of one length whatever the text, so that comparing takes one time. */
const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()

export const OUTBOX_CAP = 10_000 // counting a million takes a while, and says no more

/** What of the outbox waits, counted when the metrics are read; no number where the database does not say. */
export function outboxMetrics(registry: Registry, pool: Pool, log: Pick<Logger, 'warn'>): void {
  let reading: Promise<OutboxBacklog | undefined> | undefined
  /** One reading for both. */
  const read = () => {
    reading ??= readOutboxBacklog(pool, OUTBOX_CAP)
      .catch((error: unknown) => {
        log.warn({ err: error }, 'the outbox was not counted')
        return undefined
      })
      .finally(() => {
        reading = undefined
      })
    return reading
  }
  const gauge = (name: string, help: string, of: (backlog: OutboxBacklog) => number) =>
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        async collect() {
          const backlog = await read()
          this.set(backlog === undefined ? Number.NaN : of(backlog))
        },
      }),
    )
  gauge(
    'vinr_outbox_waiting',
    `Starts and signals that Temporal was not given yet, counted up to ${OUTBOX_CAP}.`,
    ({ waiting }) => waiting,
  )
  gauge(
    'vinr_outbox_oldest_seconds',
    'Age of the oldest start or signal that Temporal was not given yet; 0 where none waits.',
    ({ oldest_seconds }) => oldest_seconds ?? 0,
  )
}

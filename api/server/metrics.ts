import { createHash, timingSafeEqual } from 'node:crypto'
import express, { type Express, type RequestHandler, Router } from 'express'
import type { Logger } from 'pino'
import { collectDefaultMetrics, Gauge, Histogram, type Registry } from 'prom-client'
import { type OutboxBacklog, readOutboxBacklog } from '../../db/outbox.ts'
import type { Pool } from '../../db/pool.ts'
import { refuse } from '../../domain/refusal.ts'
import { errorAnswer } from './failure.ts'
import { isLocal } from './loopback.ts'
import { requestLog } from './requests.ts'
import { onlyRead } from './routes.ts'

// 1 ms to 10 s: a create takes some 5 ms, and a call to Temporal is given up after 10 s.
const BUCKETS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Times every request by route template, method and status into `registry`. */
export function requestMetrics(registry: Registry): RequestHandler {
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer, by route template.',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS_S,
    registers: [registry],
  })
  return (req, res, next) => {
    const started = performance.now()
    res.once('finish', () => {
      const route = res.locals.route ?? 'unmatched'
      duration.observe(
        { method: req.method, route, status: res.statusCode },
        (performance.now() - started) / 1_000,
      )
    })
    next()
  }
}

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
  router.all('/metrics', onlyRead('/metrics'))
  return router
}

/** What a listener of its own serves: the metrics and nothing else. */
export function metricsApp(registry: Registry, token: string | undefined, log: Logger): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use(requestLog(log), metricsRoutes(registry, { token, open: true }))
  app.use((req) => refuse('resource_missing', `There is no ${req.method} ${req.path}.`))
  app.use(errorAnswer())
  return app
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

import express, { type Express } from 'express'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { refuse } from '../../domain/refusal.ts'
import { type MetricsReaders, metricsRoutes } from '../../process/metrics.ts'
import { noEndlessBody } from './bodies.ts'
import type { Endpoint } from './declaration.ts'
import { docsRoutes } from './docs.ts'
import type { Example } from './examples.ts'
import { errorAnswer } from './failure.ts'
import { securityHeaders } from './headers.ts'
import { type Check, healthRoutes } from './health.ts'
import type { Gate } from './keys.ts'
import { requestMetrics } from './metrics.ts'
import { openApiDocument, verified } from './openapi.ts'
import { FAILED_KEYS, failedKeyLimit, keyLimit, whenRoom } from './rate-limits.ts'
import type { RequestSink } from './request-record.ts'
import { type InFlight, requestLog } from './requests.ts'
import { endpointRoutes } from './routes.ts'

// Above what one process answers: it stops a runaway loop, not a busy merchant.
const PER_SECOND = 1_000

export type AppOptions<D> = Pick<Gate, 'keys' | 'sessions'> &
  Partial<Pick<Gate, 'used'>> & {
    readonly endpoints: readonly Endpoint<D>[]
    /** Handed to every handler. */
    readonly deps: D
    readonly log: Logger
    /** What `/health/ready` asks, by name. */
    readonly checks: Readonly<Record<string, Check>>
    /** And what it asks of that only makes something late. */
    readonly degradedBy?: Readonly<Record<string, Check>>
    readonly registry: Registry
    /** Whom `/metrics` answers here; none is there where it is elsewhere. */
    readonly metrics?: MetricsReaders | 'elsewhere'
    readonly version: string
    /** What the documentation shows beside the endpoints. */
    readonly examples?: () => readonly Example[]
    /** True once the process is going down; `/health/ready` says so. */
    readonly draining?: () => boolean
    /** Requests a second and API key. */
    readonly ratePerSecond?: number
    /** Wrong keys a minute and address. */
    readonly failedKeysPerMinute?: number
    /** Express's `trust proxy`; false: the peer is the client. */
    readonly trustProxy?: boolean | number | string
    /** Origin for `doc_url`; without it, the one that the caller addressed. */
    readonly publicUrl?: string
    /** Fail on replies that the documentation does not declare; for tests. */
    readonly verifyReplies?: boolean
    /** Counts requests, for what this process does beside them. */
    readonly inFlight?: InFlight
    /** Resolves when a write may begin, where this process has more to do in the background than it can. */
    readonly room?: () => Promise<void> | undefined
    /** Where answered requests are written down; nowhere where there is none. */
    readonly requests?: RequestSink | undefined
    readonly now?: () => number
  }

/** The whole HTTP surface: one list of endpoints gives the routes and the OpenAPI document. */
export function createApp<D>(options: AppOptions<D>): Express {
  const { endpoints, log, registry, metrics = {}, publicUrl, now = Date.now } = options
  const app = express()
  app.disable('x-powered-by')
  app.set('etag', false) // answers are never cached: hashing them is for nothing
  app.set('query parser', 'extended') // created[gte]
  app.set('trust proxy', options.trustProxy ?? false)
  app.set('secure cookies', publicUrl?.startsWith('https:') === true)

  if (options.inFlight !== undefined) app.use(options.inFlight.count)
  app.use(requestLog(log), requestMetrics(registry), securityHeaders())
  app.use(noEndlessBody())
  const draining = options.draining ?? (() => false)
  app.use((_req, res, next) => {
    if (draining()) res.setHeader('Connection', 'close')
    next()
  })
  app.use(
    endpointRoutes(options.verifyReplies === true ? endpoints.map(verified) : endpoints, {
      log,
      deps: options.deps,
      keys: options.keys,
      sessions: options.sessions,
      used: options.used ?? (() => {}),
      failed: failedKeyLimit(options.failedKeysPerMinute ?? FAILED_KEYS),
      limit: keyLimit(options.ratePerSecond ?? PER_SECOND),
      room: whenRoom(options.room ?? (() => undefined)),
      requests: options.requests,
      now,
    }),
  )
  const { checks, degradedBy = {} } = options
  app.use(healthRoutes({ checks, degradedBy, draining, log }))
  if (metrics !== 'elsewhere') app.use(metricsRoutes(registry, metrics))
  app.use(docsRoutes(() => openApiDocument(endpoints, options.version, options.examples?.())))
  app.use((req) => refuse('resource_missing', `There is no ${req.method} ${req.path}.`))
  app.use(errorAnswer(publicUrl))
  return app
}

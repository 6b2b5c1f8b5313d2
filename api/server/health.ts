import { Router } from 'express'
import type { Logger } from 'pino'
import { onlyRead } from './routes.ts'

type Figures = Readonly<Record<string, number | null>>

/** Resolves where the dependency is usable, perhaps with figures to show; throws where it is not. */
export type Check = () => Promise<Figures | undefined>

/** A check's "no" in words of our own, which may be shown, as its figures are. */
export class NotReady extends Error {
  readonly figures: Figures
  constructor(message: string, figures: Figures = {}) {
    super(message)
    this.figures = figures
  }
}

const CHECK_LIMIT_MS = 2_000 // shorter than a probe's own patience, which is often 3-5 s

type Outcome = {
  readonly status: 'ok' | 'failed'
  readonly duration_ms: number
  readonly reason?: string
  readonly [figure: string]: string | number | null | undefined
}

type Health = {
  /** Without one of these nothing is answered. */
  readonly checks: Readonly<Record<string, Check>>
  /** Without one of these everything is answered, and something else is late. */
  readonly degradedBy?: Readonly<Record<string, Check>>
  readonly log: Logger
  /** True once the process stops taking requests. */
  readonly draining: () => boolean
}

/** `/health/live` and `/health/ready`; none asks for a key, none names more than a reason. */
export function healthRoutes({ checks, degradedBy = {}, draining, log }: Health): Router {
  const router = Router()
  const ready = shared(() => runChecks({ ...checks, ...degradedBy }, log))

  router.get('/health/live', (_req, res) => {
    res.json({ status: 'ok' })
  })
  router.get('/health/ready', async (_req, res) => {
    const outcomes = await ready()
    const failed = Object.keys(outcomes).filter((name) => outcomes[name]?.status !== 'ok')
    const status = draining() ? 'draining' : statusOf(failed, degradedBy)
    const isReady = status === 'ok' || status === 'degraded'
    res.status(isReady ? 200 : 503).json({ status, checks: outcomes })
  })
  for (const path of ['/health/live', '/health/ready']) router.all(path, onlyRead(path))
  return router
}

function statusOf(failed: string[], degradedBy: object): 'ok' | 'degraded' | 'unavailable' {
  if (failed.length === 0) return 'ok'
  return failed.every((name) => name in degradedBy) ? 'degraded' : 'unavailable'
}

/** One run at a time, shared by all who ask meanwhile: probes must not become load. */
function shared<T>(run: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  return () => {
    running ??= run().finally(() => {
      running = undefined
    })
    return running
  }
}

async function runChecks(checks: Health['checks'], log: Logger): Promise<Record<string, Outcome>> {
  const outcomes = await Promise.all(
    Object.entries(checks).map(
      async ([name, check]) => [name, await outcomeOf(name, check, log)] as const,
    ),
  )
  return Object.fromEntries(outcomes)
}

async function outcomeOf(name: string, check: Check, log: Logger): Promise<Outcome> {
  const started = performance.now()
  const took = () => Math.round(performance.now() - started)
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new NotReady('timed out')), CHECK_LIMIT_MS)
  })
  try {
    const figures = await Promise.race([check(), limit])
    return { status: 'ok', duration_ms: took(), ...figures }
  } catch (error) {
    log.warn({ err: error, check: name }, 'a check of readiness failed')
    const figures = error instanceof NotReady ? error.figures : {}
    return { status: 'failed', duration_ms: took(), reason: reasonOf(error), ...figures }
  } finally {
    clearTimeout(timer)
  }
}

/** Our own words or an error's code: a driver's message may name hosts and users. */
function reasonOf(error: unknown): string {
  if (error instanceof NotReady) return error.message
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' || typeof code === 'number' ? String(code) : 'failed'
}

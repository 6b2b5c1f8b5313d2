import { Router } from 'express'
import type { Logger } from 'pino'
import { onlyRead } from './wrong-method.ts'

/** Resolves where the dependency is usable, throws where it is not. */
export type Check = () => Promise<void>

/** A check's "no" in words of our own, which may be shown. */
export class NotReady extends Error {}

const CHECK_LIMIT_MS = 2_000 // shorter than a probe's own patience, which is often 3-5 s

type Outcome = {
  readonly status: 'ok' | 'failed'
  readonly duration_ms: number
  readonly reason?: string
}

type Health = {
  readonly checks: Readonly<Record<string, Check>>
  readonly log: Logger
  /** True once the process stops taking requests. */
  readonly draining: () => boolean
}

/** `/health/live` and `/health/ready`; none asks for a key, none names more than a reason. */
export function healthRoutes({ checks, draining, log }: Health): Router {
  const router = Router()
  const ready = shared(() => runChecks(checks, log))

  router.get('/health/live', (_req, res) => {
    res.json({ status: 'ok' })
  })
  router.get('/health/ready', async (_req, res) => {
    const outcomes = await ready()
    const ok = !draining() && Object.values(outcomes).every(({ status }) => status === 'ok')
    const status = draining() ? 'draining' : ok ? 'ok' : 'unavailable'
    res.status(ok ? 200 : 503).json({ status, checks: outcomes })
  })
  for (const path of ['/health/live', '/health/ready']) router.all(path, onlyRead(path))
  return router
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
    await Promise.race([check(), limit])
    return { status: 'ok', duration_ms: took() }
  } catch (error) {
    log.warn({ err: error, check: name }, 'a check of readiness failed')
    return { status: 'failed', duration_ms: took(), reason: reasonOf(error) }
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

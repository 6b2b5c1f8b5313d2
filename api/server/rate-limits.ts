import type { Request, RequestHandler, Response } from 'express'
import {
  ipKeyGenerator,
  MemoryStore,
  type RateLimitRequestHandler,
  rateLimit,
} from 'express-rate-limit'
import { Refused } from '../../domain/refusal.ts'

const WINDOW_MS = 1_000
const FAILURES_WINDOW_MS = 60_000
export const FAILED_KEYS = 100 // wrong keys a minute and address: a deploy with a bad key stays below, guessing does not

const tooMany =
  (message: string) => (_req: Request, _res: Response, next: (error: unknown) => void) =>
    next(new Refused({ code: 'too_many_requests', message }))

/** At most `perSecond` requests a second for one API key, or without one for one address; counted in this process. */
export function keyLimit(perSecond: number): RequestHandler {
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: perSecond,
    standardHeaders: 'draft-6', // draft-8 hashes the caller into its header on every answer
    legacyHeaders: false,
    keyGenerator: (req, res) => res.locals.caller?.id ?? addressOf(req),
    handler: tooMany('Too many requests.'),
  })
}

/**
 * Counts wrong keys by address. It is run only when a key turns out wrong, so
 * that good requests from behind the same address neither pay nor suffer.
 */
export function failedKeyLimit(most: number): RateLimitRequestHandler {
  return rateLimit({
    windowMs: FAILURES_WINDOW_MS,
    limit: most,
    standardHeaders: 'draft-6',
    legacyHeaders: false,
    keyGenerator: addressOf,
    handler: tooMany('Too many requests with wrong API keys from this address.'),
  })
}

/** The client's address as `trust proxy` sees it; IPv6 by its /56. */
export function addressOf(req: Request): string {
  return ipKeyGenerator(req.ip ?? '')
}

const ALLOWANCE_WINDOW_MS = 60_000

/** How often something may be asked of the same thing, counted in this process. */
export type Allowance = {
  /** Counts one more for `key`; refuses with too_many_requests beyond the most of a minute. */
  take(key: string): Promise<void>
}

/** At most `most` a minute and key. */
export function allowance(most: number): Allowance {
  const store = new MemoryStore()
  rateLimit({ windowMs: ALLOWANCE_WINDOW_MS, store }) // starts the store's clock
  return {
    async take(key) {
      const { totalHits } = await store.increment(key)
      if (totalHits <= most) return
      throw new Refused({
        code: 'too_many_requests',
        message: `This was asked more than ${most} times within a minute.`,
      })
    },
  }
}

/** Lets a write begin once there is room for what it will leave to be done in the background. */
export const whenRoom =
  (room: () => Promise<void> | undefined): RequestHandler =>
  async (_req, _res, next) => {
    await room()
    next()
  }

import type { Request, RequestHandler, Response } from 'express'
import {
  ipKeyGenerator,
  MemoryStore,
  type RateLimitRequestHandler,
  rateLimit,
} from 'express-rate-limit'
import { type Refusal, Refused } from '../../domain/refusal.ts'

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

const ATTEMPTS_WINDOW_MS = 60_000
// Misread codes of a busy chain stay below; trying numbers out does not get far.
const MOST_FAILED = 60

/** What failed lately, counted in this process. */
export type Attempts = {
  /**
   * Runs `attempt`, which is undefined where it failed. Refuses with too_many_requests, without
   * running it, once `key` has failed too often within a minute; of many under way at once those
   * that fail beyond that are refused too.
   */
  make<T>(key: string, attempt: () => Promise<T | undefined>): Promise<T | undefined>
  /** The same for an attempt that throws: what `isMiss` says of its refusal counts. */
  tryOut<T>(
    key: string,
    isMiss: (refusal: Refusal) => boolean,
    attempt: () => Promise<T>,
  ): Promise<T>
}

/** How users are guessed, by an id of theirs: counted together, wherever it is tried. */
export const byUserId = (caller: string) => `${caller} id`

/** Counts failures by key; who succeeds is not counted. */
export function failedAttempts(most: number = MOST_FAILED): Attempts {
  const store = new MemoryStore()
  rateLimit({ windowMs: ATTEMPTS_WINDOW_MS, store }) // starts the store's clock
  const refuseSpent = async (key: string) => {
    const before = await store.get(key)
    if (before !== undefined && before.totalHits >= most) tooManyFailed()
  }
  const count = async (key: string) => {
    const { totalHits } = await store.increment(key)
    if (totalHits > most) tooManyFailed()
  }
  return {
    async make(key, attempt) {
      await refuseSpent(key)
      const found = await attempt()
      if (found === undefined) await count(key)
      return found
    },
    async tryOut(key, isMiss, attempt) {
      await refuseSpent(key)
      try {
        return await attempt()
      } catch (error) {
        if (error instanceof Refused && isMiss(error.refusal)) await count(key)
        throw error
      }
    },
  }
}

function tooManyFailed(): never {
  throw new Refused({
    code: 'too_many_requests',
    message: 'Too many of these found nothing. Wait a minute.',
  })
}

/** Lets a write begin once there is room for what it will leave to be done in the background. */
export const whenRoom =
  (room: () => Promise<void> | undefined): RequestHandler =>
  async (_req, _res, next) => {
    await room()
    next()
  }

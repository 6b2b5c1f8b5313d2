import type { RequestHandler } from 'express'
import type { RateLimitRequestHandler } from 'express-rate-limit'
import { Refused, refuse } from '../domain/refusal.ts'
import { authorise, hashOfKey, presentedKey } from './auth.ts'
import type { KeyCache } from './key-cache.ts'

type Gate = {
  readonly keys: KeyCache
  /** Run for each request without a good key, and never for one with such a key. */
  readonly failed: RateLimitRequestHandler
  readonly now: () => number
}

/**
 * Notes who calls in `res.locals.caller`, or refuses; a key seen seconds ago costs no query. However many
 * failed before from the same address, a key that may be one is looked up: a proxy's address is everybody's.
 */
export function authenticate(gate: Gate, needs: 'secret' | 'publishable'): RequestHandler {
  const { keys, failed, now } = gate

  return async (req, res, next) => {
    try {
      const presented = presentedKey(req)
      if (presented === undefined) refuse('invalid_api_key', 'This needs an API key, as X-Api-Key.')
      const hash = hashOfKey(presented)
      const seen = keys.peek(hash)
      const key = seen === undefined ? await keys.find(hash) : seen.key
      res.locals.caller = authorise(key, needs, now())
    } catch (error) {
      if (error instanceof Refused && error.refusal.code === 'invalid_api_key') {
        return failed(req, res, (tooMany?: unknown) => next(tooMany ?? error))
      }
      return next(error)
    }
    next()
  }
}

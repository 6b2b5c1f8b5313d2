import type { RequestHandler } from 'express'
import type { RateLimitRequestHandler } from 'express-rate-limit'
import { Refused, refuse } from '../domain/refusal.ts'
import { authorise, hashOfKey, presentedKey } from './auth.ts'
import type { KeyCache } from './key-cache.ts'
import { addressOf } from './limits.ts'

type Gate = {
  readonly keys: KeyCache
  /** Run for each wrong key. */
  readonly failed: RateLimitRequestHandler
  /** Wrong keys an address may present before it is no longer looked up. */
  readonly mostFailed: number
  readonly now: () => number
}

/** Notes who calls in `res.locals.caller`, or refuses; a key seen seconds ago costs no query. */
export function authenticate(gate: Gate, needs: 'secret' | 'publishable'): RequestHandler {
  const { keys, failed, mostFailed, now } = gate

  return async (req, res, next) => {
    const presented = presentedKey(req)
    const hash = presented === undefined ? undefined : hashOfKey(presented)
    const seen = hash === undefined ? undefined : keys.peek(hash)
    try {
      if (seen?.key === undefined && (hash === undefined || !keys.met(hash))) {
        const counted = await failed.getKey(addressOf(req))
        if (counted !== undefined && counted.totalHits >= mostFailed) return failed(req, res, next)
      }
      if (hash === undefined) refuse('invalid_api_key', 'This needs an API key, as X-Api-Key.')
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

import type { Request, RequestHandler } from 'express'
import type { RateLimitRequestHandler } from 'express-rate-limit'
import { LRUCache } from 'lru-cache'
import { Refused, refuse } from '../../domain/refusal.ts'
import { hashApiKey } from '../../domain/secrets.ts'

/** A key as the database knows it: never the key itself, only what it may do. */
export type ApiKey = {
  readonly id: string
  readonly workspace: string
  readonly livemode: boolean
  readonly kind: 'secret' | 'publishable'
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
}

/** Looks a key up by the lower-case hex sha256 of the whole key. */
export type FindKey = (hash: string) => Promise<ApiKey | undefined>

const KEY_FORM = /^[sp]k_(test|live)_[0-9A-Za-z_]{8,200}$/
const BEARER = /^Bearer +(\S+)$/i

/** The key that a request carries, or undefined where there is none or it cannot be one. */
function presentedKey(req: Request): string | undefined {
  const header = req.headers['x-api-key'] ?? BEARER.exec(req.headers.authorization ?? '')?.[1]
  return typeof header === 'string' && KEY_FORM.test(header) ? header : undefined
}

/**
 * Whether the key may be used at `nowMs` on an endpoint for `needs`. Refuses
 * with invalid_api_key or key_not_allowed.
 */
function authorise(
  key: ApiKey | undefined,
  needs: 'secret' | 'publishable',
  nowMs: number,
): ApiKey {
  if (key === undefined) return refuse('invalid_api_key', 'No such API key.')
  if (key.revokedAt !== null && key.revokedAt.getTime() <= nowMs) {
    return refuse('invalid_api_key', 'This API key was revoked.')
  }
  if (key.expiresAt !== null && key.expiresAt.getTime() <= nowMs) {
    return refuse('invalid_api_key', 'This API key has expired.')
  }
  if (needs === 'secret' && key.kind === 'publishable') {
    return refuse('key_not_allowed', 'This needs a secret key; the one given is publishable.')
  }
  return key
}

const KNOWN_MS = 5_000 // a revoked key works at most this much longer
const UNKNOWN_MS = 1_000 // a key made just now is seen after at most this
const MOST = 10_000 // entries of each kind, some 2 MB: guessing keys must not fill the memory

/** `key` undefined: nobody's. */
type Entry = { readonly key: ApiKey | undefined }

export type KeyCache = {
  /** What is known now, without asking the database; undefined: not known. */
  peek(hash: string): Entry | undefined
  /** Asks the database, once for all who ask at the same time. */
  find(hash: string): Promise<ApiKey | undefined>
}

/**
 * Remembers for seconds who a key belongs to. Unknown keys are remembered
 * apart, so that a flood of them cannot push out the good ones.
 */
export function keyCache(findKey: FindKey, now: () => number = Date.now): KeyCache {
  const entries = (ttl: number) =>
    // Its clock is ours, read anew each time.
    new LRUCache<string, Entry>({ max: MOST, ttl, ttlResolution: 0, perf: { now } })
  const known = entries(KNOWN_MS)
  const unknown = entries(UNKNOWN_MS)
  const asked = new Map<string, Promise<ApiKey | undefined>>()

  const ask = async (hash: string): Promise<ApiKey | undefined> => {
    const key = await findKey(hash)
    known.delete(hash)
    unknown.delete(hash)
    const kept = key === undefined ? unknown : known
    kept.set(hash, { key })
    return key
  }

  const find = (hash: string): Promise<ApiKey | undefined> => {
    const running = asked.get(hash)
    if (running !== undefined) return running
    const asking = ask(hash).finally(() => asked.delete(hash))
    asked.set(hash, asking)
    return asking
  }

  return { peek: (hash) => known.get(hash) ?? unknown.get(hash), find }
}

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
      const hash = hashApiKey(presented)
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

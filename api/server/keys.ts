import type { Request, RequestHandler } from 'express'
import type { RateLimitRequestHandler } from 'express-rate-limit'
import { LRUCache } from 'lru-cache'
import { Refused, refuse } from '../../domain/refusal.ts'
import { allows, type Scope } from '../../domain/scopes.ts'
import { hashApiKey, type KeyKind } from '../../domain/secrets.ts'

/** A key as the database knows it: never the key itself, only what it may do. */
export type ApiKey = {
  readonly id: string
  readonly workspace: string
  readonly livemode: boolean
  readonly kind: KeyKind
  readonly name: string | null
  /** What a secret key may do; a publishable one opens what is declared for it. */
  readonly scopes: readonly string[]
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

/** What an endpoint asks of the key that opens it. */
export type Needs = { readonly key: KeyKind; readonly scope: Scope }

/**
 * Whether the key may be used at `nowMs` on an endpoint with these needs. Refuses
 * with invalid_api_key or key_not_allowed.
 */
function authorise(key: ApiKey | undefined, needs: Needs, nowMs: number): ApiKey {
  if (key === undefined) return refuse('invalid_api_key', 'No such API key.')
  if (key.revokedAt !== null && key.revokedAt.getTime() <= nowMs) {
    return refuse('invalid_api_key', 'This API key was revoked.')
  }
  if (key.expiresAt !== null && key.expiresAt.getTime() <= nowMs) {
    return refuse('invalid_api_key', 'This API key has expired.')
  }
  const { scope } = needs
  if (key.kind === 'publishable') {
    if (needs.key === 'publishable') return key
    const message = 'This needs a secret key; the one given is publishable.'
    return refuse('key_not_allowed', message, { fields: { scope } })
  }
  if (allows(key.scopes, scope)) return key
  return refuse('key_not_allowed', `This key lacks the scope ${scope}.`, { fields: { scope } })
}

const KNOWN_MS = 4_500 // a key that was revoked or changed is so within five seconds, the query's time among them
const UNKNOWN_MS = 1_000 // a key made just now is seen after at most this
const MOST = 10_000 // entries of each kind, some 2 MB: guessing keys must not fill the memory

/** `key` undefined: nobody's. */
type Entry = { readonly key: ApiKey | undefined }

export type KeyCache = {
  /** What is known now, without asking the database; undefined: not known. */
  peek(hash: string): Entry | undefined
  /** Asks the database, once for all who ask at the same time. */
  find(hash: string): Promise<ApiKey | undefined>
  /** Asks anew from now on: this process has changed a key. */
  forget(): void
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
  let changes = 0

  const ask = async (hash: string): Promise<ApiKey | undefined> => {
    const before = changes
    const key = await findKey(hash)
    if (changes !== before) return key // what was read then is not to be remembered
    known.delete(hash)
    unknown.delete(hash)
    const kept = key === undefined ? unknown : known
    kept.set(hash, { key })
    return key
  }

  const find = (hash: string): Promise<ApiKey | undefined> => {
    const running = asked.get(hash)
    if (running !== undefined) return running
    const asking = ask(hash).finally(() => {
      if (asked.get(hash) === asking) asked.delete(hash)
    })
    asked.set(hash, asking)
    return asking
  }

  return {
    peek: (hash) => known.get(hash) ?? unknown.get(hash),
    find,
    forget: () => {
      changes++
      asked.clear()
      known.clear()
      unknown.clear()
    },
  }
}

type Gate = {
  readonly keys: KeyCache
  /** Run for each request without a good key, and never for one with such a key. */
  readonly failed: RateLimitRequestHandler
  /** Told of each use of a good key. */
  readonly used: (key: ApiKey) => void
  readonly now: () => number
}

/**
 * Notes who calls in `res.locals.caller`, or refuses; a key seen seconds ago costs no query. However many
 * failed before from the same address, a key that may be one is looked up: a proxy's address is everybody's.
 */
export function authenticate(gate: Gate, needs: Needs): RequestHandler {
  const { keys, failed, used, now } = gate

  return async (req, res, next) => {
    let key: ApiKey | undefined
    try {
      const presented = presentedKey(req)
      if (presented === undefined) refuse('invalid_api_key', 'This needs an API key, as X-Api-Key.')
      const hash = hashApiKey(presented)
      const seen = keys.peek(hash)
      key = seen === undefined ? await keys.find(hash) : seen.key
      const caller = authorise(key, needs, now())
      used(caller)
      res.locals.caller = caller
    } catch (error) {
      if (error instanceof Refused && error.refusal.code === 'invalid_api_key') {
        return failed(req, res, (tooMany?: unknown) => next(tooMany ?? error))
      }
      res.locals.caller = key // good, but not for this: its workspace finds it in the request log
      return next(error)
    }
    next()
  }
}

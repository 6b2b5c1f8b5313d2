import type { Request, RequestHandler } from 'express'
import type { RateLimitRequestHandler } from 'express-rate-limit'
import { LRUCache } from 'lru-cache'
import { Refused, refuse } from '../../domain/refusal.ts'
import { allows, type Scope } from '../../domain/scopes.ts'
import { hashApiKey, type KeyKind } from '../../domain/secrets.ts'
import { hashToken } from '../../domain/sign-in.ts'
import {
  authorisePerson,
  callerBy,
  type FoundSession,
  type SessionCaller,
  sessionCookieOf,
  workspaceOf,
} from './sessions.ts'

/** Who calls: a program with its key, or a person with their session. */
export type Caller = ApiKey | SessionCaller

/** A key as the database knows it: never the key itself, only what it may do. */
export type ApiKey = {
  readonly type: 'api_key'
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

const hasKey = ({ headers }: Request): boolean =>
  headers['x-api-key'] !== undefined || headers.authorization !== undefined

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

/** `found` undefined: nobody's. */
type Entry<Found> = { readonly found: Found | undefined }

export type Cache<Found> = {
  /** What is known now, without asking the database; undefined: not known. */
  peek(hash: string): Entry<Found> | undefined
  /** Asks the database, once for all who ask at the same time. */
  find(hash: string): Promise<Found | undefined>
  /** Asks anew from now on: this process has changed a key. */
  forget(): void
}

/**
 * Remembers for seconds whose a key, or a session, is. Unknown ones are remembered
 * apart, so that a flood of them cannot push out the good ones.
 */
export function callerCache<Found>(
  look: (hash: string) => Promise<Found | undefined>,
  now: () => number = Date.now,
): Cache<Found> {
  const entries = (ttl: number) =>
    // Its clock is ours, read anew each time.
    new LRUCache<string, Entry<Found>>({ max: MOST, ttl, ttlResolution: 0, perf: { now } })
  const known = entries(KNOWN_MS)
  const unknown = entries(UNKNOWN_MS)
  const asked = new Map<string, Promise<Found | undefined>>()
  let changes = 0

  const ask = async (hash: string): Promise<Found | undefined> => {
    const before = changes
    const found = await look(hash)
    if (changes !== before) return found // what was read then is not to be remembered
    known.delete(hash)
    unknown.delete(hash)
    const kept = found === undefined ? unknown : known
    kept.set(hash, { found })
    return found
  }

  const find = (hash: string): Promise<Found | undefined> => {
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

export type Gate = {
  readonly keys: Cache<ApiKey>
  readonly sessions: Cache<FoundSession>
  /** Run for each request without a good key or session, and never for one with such. */
  readonly failed: RateLimitRequestHandler
  /** Told of each use of a good key or session. */
  readonly used: (caller: Caller) => void
  readonly now: () => number
}

/** What an endpoint asks of the person who opens it, where no key does. */
export type PersonNeeds = { readonly key: 'session' }

const NOBODY = new Set(['invalid_api_key', 'invalid_session'])

/**
 * Notes who calls in `res.locals.caller`, or refuses; a key seen seconds ago costs no query. However many
 * failed before from the same address, a key that may be one is looked up: a proxy's address is everybody's.
 * A session's cookie counts where there is no key.
 */
export function authenticate(gate: Gate, needs: Needs | PersonNeeds): RequestHandler {
  const { failed, used } = gate

  return async (req, res, next) => {
    let known: Caller | undefined
    try {
      const caller = await callerOf(gate, req, needs, (found) => {
        known = found
      })
      used(caller)
      res.locals.caller = caller
    } catch (error) {
      if (error instanceof Refused && NOBODY.has(error.refusal.code)) {
        return failed(req, res, (tooMany?: unknown) => next(tooMany ?? error))
      }
      res.locals.caller = known // good, but not for this: its workspace finds it in the request log
      return next(error)
    }
    next()
  }
}

/** Who calls, where they may; `identified` is told who it is before that is decided. */
async function callerOf(
  gate: Gate,
  req: Request,
  needs: Needs | PersonNeeds,
  identified: (caller: Caller | undefined) => void,
): Promise<Caller> {
  const presented = needs.key === 'session' ? undefined : presentedKey(req)
  const cookie = hasKey(req) && needs.key !== 'session' ? undefined : sessionCookieOf(req)
  if (cookie !== undefined) {
    const workspace = needs.key === 'session' ? '' : workspaceOf(req)
    const found = await recall(gate.sessions, `${hashToken(cookie)} ${workspace}`)
    identified(found && callerBy(found, workspace))
    return authorisePerson(found, { req, cookie, workspace, needs })
  }
  if (needs.key === 'session') return refuse('invalid_session', 'This needs a session: sign in.')
  if (presented === undefined) {
    return refuse('invalid_api_key', 'This needs an API key, as X-Api-Key.')
  }
  const key = await recall(gate.keys, hashApiKey(presented))
  identified(key)
  return authorise(key, needs, gate.now())
}

async function recall<Found>(cache: Cache<Found>, hash: string): Promise<Found | undefined> {
  const seen = cache.peek(hash)
  return seen === undefined ? cache.find(hash) : seen.found
}

import { hash } from 'node:crypto'
import type { Request } from 'express'
import { refuse } from '../domain/refusal.ts'

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
export function presentedKey(req: Request): string | undefined {
  const header = req.headers['x-api-key'] ?? BEARER.exec(req.headers.authorization ?? '')?.[1]
  return typeof header === 'string' && KEY_FORM.test(header) ? header : undefined
}

export function hashOfKey(key: string): string {
  return hash('sha256', key, 'hex')
}

/**
 * Whether the key may be used at `nowMs` on an endpoint for `needs`. Refuses
 * with invalid_api_key or key_not_allowed.
 */
export function authorise(
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

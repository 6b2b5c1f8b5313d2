import type { Request } from 'express'
import { derivedId, newId } from '../../domain/ids.ts'
import { refuse } from '../../domain/refusal.ts'
import type { Method } from './declaration.ts'

const LONGEST_KEY = 255

/** The Idempotency-Key of a request that changes something; refuses one of another length than 1 to 255. */
export function idempotencyKeyOf(req: Request): string | undefined {
  if (req.method === 'GET' || req.method === 'HEAD') return undefined
  const key = req.headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key !== 'string' || key.length < 1 || key.length > LONGEST_KEY) {
    return refuse('parameter_invalid', 'Idempotency-Key: must have 1 to 255 characters.', {
      param: 'Idempotency-Key',
    })
  }
  return key
}

/**
 * The operation's id: the same for the same workspace, method, route template
 * and key, so that a retry is known again; new without a key.
 */
export function operationOf(
  workspace: string,
  method: Method,
  path: string,
  key: string | undefined,
): string {
  return key === undefined ? newId('op') : derivedId('op', workspace, method, path, key)
}

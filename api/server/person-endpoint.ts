import type { z } from 'zod'
import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import { refuse } from '../../domain/refusal.ts'
import type { Call, Endpoint, OpenDeclaration, PersonDeclaration, Reply } from './declaration.ts'
import type { Deps } from './deps.ts'
import { bodyOf, parse, parsePath } from './endpoint.ts'

/**
 * Declares an endpoint about the person themselves, of no workspace: one that a session opens, or one that
 * begins it. An Idempotency-Key changes nothing there: what they do once they find done.
 */
export function personEndpoint<
  P extends z.ZodObject | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
  R extends z.ZodType = z.ZodType,
>(declaration: OpenDeclaration<P, B, R, Deps> | PersonDeclaration<P, B, R, Deps>): Endpoint {
  const { params, body, handle: _, ...rest } = declaration
  const run = async (call: Call<Deps>): Promise<Reply<unknown>> => {
    const { caller, header, requestId, address, isSecure, deps } = call
    parse(undefined, call.query)
    const given = { header, requestId, address, isSecure, deps, log: call.log() }
    const parsed = {
      params: parsePath<P>(params, call.params),
      body: parse<B>(body, bodyOf(call.body)),
    }
    if (declaration.key === 'none') {
      return retryOnConflict(() => declaration.handle({ ...given, ...parsed }))
    }
    if (caller?.type !== 'user') return refuse('invalid_session', 'This needs a session: sign in.')
    return retryOnConflict(() => declaration.handle({ ...given, ...parsed, person: caller }))
  }
  return { ...rest, params, body, raw: false, run }
}

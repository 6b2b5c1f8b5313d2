import { Readable } from 'node:stream'
import { z } from 'zod'
import { fingerprintOf } from '../domain/ids.ts'
import { Refused, refuse } from '../domain/refusal.ts'
import { underV1 } from './both-paths.ts'
import type { Call, Declaration, Endpoint, Parsed, RawDeclaration, Reply } from './declaration.ts'
import type { Deps } from './deps.ts'
import { operationOf } from './idempotency.ts'
import { refusalOf } from './invalid.ts'

const NOTHING = z.strictObject({})

/** `endpoint` for handlers that need `D`. */
export function endpointOf<D>() {
  return <
    P extends z.ZodObject | undefined = undefined,
    Q extends z.ZodObject | undefined = undefined,
    B extends z.ZodType | undefined = undefined,
    R extends z.ZodType = z.ZodType,
  >(
    declaration: Declaration<P, Q, B, R, D>,
  ): Endpoint<D> => {
    const { params, query, body, handle, ...rest } = declaration
    const run = async (call: Call<D>): Promise<Reply<unknown>> => {
      const { caller, idempotencyKey, requestId, deps } = call
      if (caller === undefined) return refuse('invalid_api_key', 'This needs an API key.')
      const { workspace, livemode } = caller
      const parsedParams = parsePath<P>(params, call.params)
      const parsedQuery = parse<Q>(query, call.query)
      const parsedBody = parse<B>(body, call.body)
      let operation: string | undefined
      return handle({
        workspace,
        caller: caller.id,
        livemode,
        params: parsedParams,
        query: parsedQuery,
        body: parsedBody,
        idempotencyKey,
        requestId,
        deps,
        // a read asks for neither, and each costs a hash or random bytes
        get fingerprint() {
          return fingerprintOf([call.params, call.body ?? null])
        },
        get operation() {
          const route = underV1(declaration.path) // a retry at the route's other path is known again
          operation ??= operationOf(workspace, declaration.method, route, idempotencyKey)
          return operation
        },
        header: call.header,
        get stream() {
          return call.stream ?? Readable.from([])
        },
        get log() {
          return call.log() // a child logger costs more than most handlers ever log
        },
      })
    }
    return { ...rest, params, query, body, raw: false, run }
  }
}

/** `rawEndpoint` for handlers that need `D`. */
export function rawEndpointOf<D>() {
  return <
    P extends z.ZodObject | undefined = undefined,
    B extends z.ZodType | undefined = undefined,
    R extends z.ZodType = z.ZodType,
  >(
    declaration: RawDeclaration<P, B, R, D>,
  ): Endpoint<D> => {
    const { params, body, handle, ...rest } = declaration
    const run = async (call: Call<D>): Promise<Reply<unknown>> => {
      const { header, requestId, deps } = call
      parse(undefined, call.query)
      const bytes = Buffer.isBuffer(call.body) ? call.body : Buffer.alloc(0)
      const parsedParams = parsePath<P>(params, call.params)
      return handle({ params: parsedParams, body: bytes, header, log: call.log(), requestId, deps })
    }
    return { ...rest, params, body, key: 'none', raw: true, run }
  }
}

/**
 * Declares an endpoint that an API key opens. Path, query and body are checked
 * by their schemas before `handle` runs; without a schema nothing is accepted.
 */
export const endpoint = endpointOf<Deps>()

/**
 * Declares an endpoint that its caller's signature opens: `handle` gets the
 * bytes and must check them; `body` only documents what they hold.
 */
export const rawEndpoint = rawEndpointOf<Deps>()

/** Refuses what the schema refuses, by the parameter's name; parses against nothing where there is none. */
export function parse<S extends z.ZodType | undefined>(
  schema: S | undefined,
  input: unknown,
): Parsed<S> {
  const given = input ?? {}
  const result = (schema ?? NOTHING).safeParse(given)
  if (!result.success) throw new Refused(refusalOf(result.error, given))
  return result.data as Parsed<S> // the parsed edge: data is this schema's output
}

/** A path that cannot name anything names nothing: 404, as for an id nobody has. */
function parsePath<S extends z.ZodObject | undefined>(
  schema: S | undefined,
  input: unknown,
): Parsed<S> {
  const result = (schema ?? NOTHING).safeParse(input)
  if (!result.success) return refuse('resource_missing', 'There is no object with such an id.')
  return result.data as Parsed<S> // the parsed edge, as above
}

import { Readable } from 'node:stream'
import type { Request } from 'express'
import type { Logger } from 'pino'
import { z } from 'zod'
import { actingAs } from '../../app/acting.ts'
import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import type { RequestIdentity } from '../../db/idempotency.ts'
import { type Asker, personOf } from '../../domain/actor.ts'
import { derivedId, fingerprintOf, type IdPrefix, newId } from '../../domain/ids.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import { allows, type Scope } from '../../domain/scopes.ts'
import { pathOfProto } from '../schemas/text.ts'
import {
  type Call,
  type Context,
  type Declaration,
  type Endpoint,
  type Method,
  type RawDeclaration,
  type Reply,
  type SchemaOutput,
  underV1,
} from './declaration.ts'
import type { Deps } from './deps.ts'
import { refusalOf } from './failure.ts'
import type { Caller } from './keys.ts'

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
    // of a body that comes as a stream nothing is left for another try
    const isTriedAgain = rest.stream !== true
    const run = async (call: Call<D>): Promise<Reply<unknown>> => {
      const { caller } = call
      if (caller === undefined) return refuse('invalid_api_key', 'This needs an API key.')
      const parsed = {
        params: parsePath<P>(params, call.params),
        query: parse<Q>(query, call.query),
        body: parse<B>(body, bodyOf(call.body)),
      }
      const context = new RequestContext(call, caller, rest, parsed)
      if (rest.method === 'GET') return handle(context)
      return actingAs(context.actor, () =>
        isTriedAgain ? retryOnConflict(() => handle(context)) : handle(context),
      )
    }
    return { ...rest, params, query, body, raw: false, run }
  }
}

/**
 * What a handler is given; what costs a hash, random bytes or a logger is made when it is asked for. A
 * class: an object literal with getters gets a shape of its own each time, and V8 keeps such shapes, and
 * with them the whole request, until a full collection.
 */
class RequestContext<P, Q, B, D> implements Context<P, Q, B, D> {
  readonly workspace: string
  readonly caller: string
  readonly actor: Asker
  readonly publishable: boolean
  readonly livemode: boolean
  readonly params: P
  readonly query: Q
  readonly body: B
  readonly idempotencyKey: string | undefined
  readonly requestId: string
  readonly deps: D
  readonly header: Call<D>['header']
  readonly #call: Call<D>
  readonly #route: Pick<Endpoint<D>, 'method' | 'path'>
  #fingerprint: string | undefined
  #operation: string | undefined

  constructor(
    call: Call<D>,
    { type, id, workspace, livemode, kind, name }: Caller,
    route: Pick<Endpoint<D>, 'method' | 'path'>,
    { params, query, body }: Pick<Context<P, Q, B, D>, 'params' | 'query' | 'body'>,
  ) {
    this.params = params
    this.query = query
    this.body = body
    this.workspace = workspace
    this.caller = id
    this.actor = { type, id, name, ...inNameOf(call.header('vinr-actor')) }
    this.publishable = kind === 'publishable'
    this.livemode = livemode
    this.idempotencyKey = call.idempotencyKey
    this.requestId = call.requestId
    this.deps = call.deps
    this.header = call.header
    this.#call = call
    this.#route = route
  }

  may(scope: Scope): boolean {
    const { scopes } = this.#call.caller ?? { scopes: [] }
    return allows(scopes, scope)
  }

  get fingerprint(): string {
    this.#fingerprint ??= fingerprintOf([this.#call.params, this.#call.body ?? null])
    return this.#fingerprint
  }

  get request(): RequestIdentity {
    const { workspace, idempotencyKey: key = null, fingerprint } = this
    const { method, path } = this.#route
    // a retry at the route's other path is known again
    return { workspace, route: `${method} ${underV1(path)}`, key, fingerprint }
  }

  idOf(prefix: IdPrefix): string {
    const { workspace, route, key } = this.request
    return key === null ? newId(prefix) : derivedId(prefix, workspace, route, key)
  }

  get operation(): string {
    const { method, path } = this.#route
    this.#operation ??= operationOf(this.workspace, method, underV1(path), this.idempotencyKey)
    return this.#operation
  }

  get stream(): Readable {
    return this.#call.stream ?? Readable.from([])
  }

  get log(): Logger {
    return this.#call.log()
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
      const { header, requestId, address, deps } = call
      parse(undefined, call.query)
      const bytes = Buffer.isBuffer(call.body) ? call.body : Buffer.alloc(0)
      const parsedParams = parsePath<P>(params, call.params)
      const given = { params: parsedParams, body: bytes, header, requestId, address, deps }
      return retryOnConflict(() => handle({ ...given, log: call.log() }))
    }
    return { ...rest, params, body, key: 'none', raw: true, run }
  }
}

/**
 * Declares an endpoint that an API key opens. Path, query and body are checked
 * by their schemas before `handle` runs; without a schema nothing is accepted. A write that the database
 * rolls back for another's sake is handled again, whole.
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
): SchemaOutput<S> {
  const given = input ?? {}
  const result = (schema ?? NOTHING).safeParse(given)
  if (!result.success) throw new Refused(refusalOf(result.error, given))
  return result.data as SchemaOutput<S> // the parsed edge: data is this schema's output
}

/** Whom the caller says it acts for, which gives no rights. Refuses what is no `<id>[; name="…"]`. */
function inNameOf(header: string | undefined): Pick<Asker, 'onBehalfOf'> {
  if (header === undefined) return {}
  const person = personOf(Buffer.from(header, 'latin1').toString('utf8')) // as Node reads headers
  if (person !== undefined) return { onBehalfOf: person }
  const message = 'Vinr-Actor: expected <id>[; name="…"], each of at most 100 characters.'
  return refuse('parameter_invalid', message, { param: 'Vinr-Actor' })
}

/** No body is an object without fields; null is no object; `__proto__` is nobody's field. */
export function bodyOf(body: unknown): unknown {
  if (body === null) {
    return refuse('parameter_invalid', 'The body: expected object, received null.')
  }
  const param = pathOfProto(body)
  if (param !== undefined) {
    return refuse('parameter_unknown', `Unknown parameter: ${param}.`, { param })
  }
  return body ?? {}
}

/** A path that cannot name anything names nothing: 404, as for an id nobody has. */
export function parsePath<S extends z.ZodObject | undefined>(
  schema: S | undefined,
  input: unknown,
): SchemaOutput<S> {
  const result = (schema ?? NOTHING).safeParse(input)
  if (!result.success) return refuse('resource_missing', 'There is no object with such an id.')
  return result.data as SchemaOutput<S> // the parsed edge, as above
}

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
function operationOf(
  workspace: string,
  method: Method,
  path: string,
  key: string | undefined,
): string {
  return key === undefined ? newId('op') : derivedId('op', workspace, method, path, key)
}

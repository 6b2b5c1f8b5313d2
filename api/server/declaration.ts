import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import type { z } from 'zod'
import type { Written } from '../../app/idempotent.ts'
import type { ApprovalRow } from '../../db/approvals.ts'
import type { RequestIdentity } from '../../db/idempotency.ts'
import type { Asker } from '../../domain/actor.ts'
import { approvalObject } from '../../domain/approval.ts'
import type { IdPrefix } from '../../domain/ids.ts'
import type { ErrorCode } from '../../domain/refusal.ts'
import type { Scope } from '../../domain/scopes.ts'
import type { Approval } from '../schemas/approvals.ts'
import type { Deps } from './deps.ts'
import type { Caller } from './keys.ts'
import type { SessionCaller } from './sessions.ts'

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
type SuccessCode = 200 | 201 | 202

/** What a handler is given. `Body` is the Buffer as received where `raw` is set. */
export type Context<Params, Query, Body, D> = {
  readonly workspace: string
  /** The id of the API key, or of the person. */
  readonly caller: string
  /** Who asks, for what is kept of a write. */
  readonly actor: Asker
  /** Whether whoever calls holds the scope too, beside the route's own. */
  may(scope: Scope): boolean
  /** The key is one that stands in a shop's pages: whoever reads them calls. */
  readonly publishable: boolean
  readonly livemode: boolean
  readonly params: Params
  readonly query: Query
  readonly body: Body
  /** As sent; undefined without the header and on GET. */
  readonly idempotencyKey: string | undefined
  /** Of path parameters and body as sent, the same in any key order: another body, another fingerprint. */
  readonly fingerprint: string
  /** The request as its repeat is recognised by. */
  readonly request: RequestIdentity
  /** An id for what the request makes: the same for the same workspace, route and Idempotency-Key, else new. */
  idOf(prefix: IdPrefix): string
  /** `op_` id: the same for the same workspace, route and Idempotency-Key, else new. */
  readonly operation: string
  readonly log: Logger
  readonly requestId: string
  readonly deps: D
  readonly header: (name: string) => string | undefined
  /** The body as it comes, where the declaration asked for it; else nothing. */
  readonly stream: Readable
}

/**
 * `created` answers 201, `accepted` and `waiting` 202, `ok` 200; a replay has its header, and is 200 unless it is
 * waiting still.
 */
export type Reply<T> = {
  readonly status: 'created' | 'accepted' | 'waiting' | 'ok'
  readonly replayed?: boolean
  /** Whole `Set-Cookie` headers. */
  readonly cookies?: readonly string[]
  /** What a browser saves it as. */
  readonly fileName?: string
  readonly object: T
}

/** A request as the frame read it, before any schema has looked at it. */
export type Call<D> = {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly caller: Caller | undefined
  readonly idempotencyKey: string | undefined
  readonly header: (name: string) => string | undefined
  readonly log: () => Logger
  readonly requestId: string
  /** The client's, as `trust proxy` sees it. */
  readonly address: () => string
  /** Whether the client speaks https. */
  readonly isSecure: () => boolean
  readonly deps: D
  readonly stream?: Readable
}

type EndpointFields<P, Q, B, R> = {
  readonly method: Method
  /** Template in OpenAPI's form: `/v1/loyalty/redemptions/{id}/cancel`. */
  readonly path: `/${string}`
  readonly summary: string
  readonly description?: string
  readonly tags: readonly string[]
  /** What its caller must hold, where that is not what the first tag and the method say (scopes.ts). */
  readonly scope?: Scope
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** The largest body, as `4mb`; the frame's usual limit where it does not say. */
  readonly bodyLimit?: string
  /** The handler reads the body itself, as it comes; nothing limits its size but the handler. */
  readonly stream?: true
  /** The media types that such a body may have. */
  readonly accepts?: readonly string[]
  /** What the reply is sent as; JSON where it does not say. Its object is then a text, or a stream. */
  readonly media?: 'text/csv' | 'application/zip'
  readonly reply: R
  /** What it answers where it has to wait for somebody. */
  readonly waits?: typeof Approval
  readonly successCodes?: readonly SuccessCode[]
  /** The codes of its own; those that any route may answer are added (errors.ts). */
  readonly errors: readonly ErrorCode[]
}

/** What a schema's parse gives; without a schema there is nothing to give. */
export type SchemaOutput<S> = S extends z.ZodType ? z.output<S> : Record<string, never>

/** In place of the effect: the approval that it waits for. */
type Waiting = Reply<z.input<typeof Approval>> & { readonly status: 'waiting' }

export type Declaration<P, Q, B, R extends z.ZodType, D> = EndpointFields<P, Q, B, R> & {
  readonly key: 'secret' | 'publishable'
  handle(
    ctx: Context<SchemaOutput<P>, SchemaOutput<Q>, SchemaOutput<B>, D>,
  ): Promise<Reply<z.input<R>> | Waiting>
}

/** What a handler of a route about the person themselves is given: no workspace, and who they are. */
export type OpenContext<Params, Body, D> = Pick<
  Call<D>,
  'header' | 'requestId' | 'address' | 'isSecure' | 'deps'
> & {
  readonly log: Logger
  readonly params: Params
  readonly body: Body
}

export type PersonContext<Params, Body, D> = OpenContext<Params, Body, D> & {
  readonly person: SessionCaller
}

type PersonalFields<P, B, R> = Omit<EndpointFields<P, undefined, B, R>, 'query' | 'scope'>

/** Without a key and a session: what begins one. */
export type OpenDeclaration<P, B, R extends z.ZodType, D> = PersonalFields<P, B, R> & {
  readonly key: 'none'
  handle(ctx: OpenContext<SchemaOutput<P>, SchemaOutput<B>, D>): Promise<Reply<z.input<R>>>
}

/** With a session, of no workspace. */
export type PersonDeclaration<P, B, R extends z.ZodType, D> = PersonalFields<P, B, R> & {
  readonly key: 'session'
  handle(ctx: PersonContext<SchemaOutput<P>, SchemaOutput<B>, D>): Promise<Reply<z.input<R>>>
}

export type RawContext<Params, D> = Pick<Call<D>, 'header' | 'requestId' | 'address' | 'deps'> & {
  readonly log: Logger
  readonly params: Params
  readonly body: Buffer
}

export type RawDeclaration<P, B, R extends z.ZodType, D> = Omit<
  EndpointFields<P, undefined, B, R>,
  'query'
> & {
  handle(ctx: RawContext<SchemaOutput<P>, D>): Promise<Reply<z.input<R>>>
}

/** An endpoint ready to be routed and documented; made by `endpoint` and `rawEndpoint` only. */
export type Endpoint<D = Deps> = EndpointFields<z.ZodObject, z.ZodObject, z.ZodType, z.ZodType> & {
  readonly key: 'secret' | 'publishable' | 'session' | 'none'
  /** The body is handed over as received: its signature is over the bytes. */
  readonly raw: boolean
  run(call: Call<D>): Promise<Reply<unknown>>
}

/** The till's routes stand under `/v1` and at the root, where the tills' own documents call them. */
export function withAlias<P extends `/${string}`>(
  path: P,
  declare: (path: P | `/v1${P}`) => Endpoint,
): readonly [Endpoint, Endpoint] {
  return [declare(`/v1${path}`), declare(path)]
}

/** The path under `/v1` of the same route: what is said of that one holds for its alias at the root. */
export const underV1 = (path: string): string => (path.startsWith('/v1/') ? path : `/v1${path}`)

/** Answers 201 with what a request made; its repeat 200, with that as it is now. */
export async function created<Row, T>(
  { row, replayed }: Written<Row>,
  present: (row: Row) => T | Promise<T>,
): Promise<Reply<T>> {
  return { status: 'created', replayed, object: await present(row) }
}

/** Answers 200 with what a request changed; its repeat with that as it is now. */
export async function updated<Row, T>(
  { row, replayed }: Written<Row>,
  present: (row: Row) => T | Promise<T>,
): Promise<Reply<T>> {
  return { status: 'ok', replayed, object: await present(row) }
}

/** Answers 202 with what the request waits for, and its repeat with that as it is now. */
export function waiting(
  { row, replayed }: Written<ApprovalRow>,
  { livemode }: { livemode: boolean },
): Waiting {
  return { status: 'waiting', replayed, object: approvalObject(row, livemode) }
}

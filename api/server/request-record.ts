import type { Request, RequestHandler, Response } from 'express'
import type { RequestRecord } from '../../db/requests.ts'
import { timeOfId } from '../../domain/ids.ts'
import { withoutSecrets } from '../../process/log.ts'
import { type Endpoint, underV1 } from './declaration.ts'
import { type BodyFields, fieldsOf, withFields } from './request-body.ts'

/** Takes requests once they are answered; it neither waits nor throws. */
export type RequestSink = { take(record: RequestRecord): void }

/**
 * Hands each request to `sink` when it is over: one with a key, for others are nobody's. Of its body what
 * request-fields.ts allows, no query and no address: these are personal.
 */
export function recordRequest<D>(endpoint: Endpoint<D>, sink: RequestSink): RequestHandler {
  const route = underV1(endpoint.path)
  const fields = fieldsOf(endpoint)
  return (req, res, next) => {
    const { id } = req.params
    res.once('close', () => {
      const record = recordOf(req, res, { route, id, fields })
      if (record !== undefined) sink.take(record)
    })
    next()
  }
}

type Route = {
  readonly route: string
  /** The path's. */
  readonly id: string | string[] | undefined
  readonly fields: BodyFields | undefined
}

function recordOf(req: Request, res: Response, { route, id, fields }: Route) {
  const { caller, requestId, startedMs = 0, code, param, object } = res.locals
  // what people do about themselves is of no workspace
  if (!caller?.workspace || requestId === undefined) return undefined
  const record: RequestRecord = {
    workspace: caller.workspace,
    id: requestId,
    created_at: new Date(timeOfId(requestId)).toISOString(),
    method: req.method,
    route,
    resource: resourceOf(route, id) ?? idOf(object),
    status: res.headersSent ? res.statusCode : undefined,
    error_code: code,
    error_param: paramOf(param),
    key: caller.id,
    has_idempotency_key: req.headers['idempotency-key'] !== undefined,
    replayed: res.hasHeader('Idempotent-Replayed'),
    duration_ms: Math.round(performance.now() - startedMs),
    body: fields === undefined ? undefined : withFields(req.body, fields),
  }
  return record
}

const ID = /^[\x21-\x7e]{1,255}$/
const OURS = /^[a-z]{2,5}_[0-9A-Za-z_]{1,60}$/

/** A till may name its users as it likes, by an e-mail address too: of them ours alone are written down. */
function resourceOf(route: string, id: unknown): string | undefined {
  const form = route.startsWith('/v1/users/') ? OURS : ID
  return typeof id === 'string' && form.test(id) ? withoutSecrets(id) : undefined
}

function idOf(object: unknown): string | undefined {
  if (typeof object !== 'object' || object === null || !('id' in object)) return undefined
  return typeof object.id === 'string' && OURS.test(object.id) ? object.id : undefined
}

const PARAM = /^[A-Za-z0-9_.[\]-]{1,100}$/

/** The name of a field; of metadata not which. */
function paramOf(param: string | undefined): string | undefined {
  if (param === undefined || !PARAM.test(param)) return undefined
  return withoutSecrets(param.replace(/\bmetadata\..*/, 'metadata'))
}

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Request, type RequestHandler, type Response, Router } from 'express'
import type { Logger } from 'pino'
import { refuse } from '../../domain/refusal.ts'
import { fewSlowBodies, jsonBody, rawBody, withinTime } from './bodies.ts'
import type { Endpoint, Method, Reply } from './declaration.ts'
import { idempotencyKeyOf } from './endpoint.ts'
import { openToBrowsers } from './headers.ts'
import { authenticate, type Gate } from './keys.ts'
import { addressOf } from './rate-limits.ts'
import { type RequestSink, recordRequest } from './request-record.ts'
import { scopeOf } from './scopes.ts'
import { isSecureRequest } from './sessions.ts'

const JSON_LIMIT = '100kb' // far above any object here, far below what hurts
const RAW_LIMIT = '1mb' // a provider's event carries its whole payment

type Frame<D> = Gate & {
  readonly log: Logger
  readonly deps: D
  readonly limit: RequestHandler
  /** Before a write, of whoever may make one now. */
  readonly room: RequestHandler
  /** Where requests are written down; undefined: nowhere. */
  readonly requests: RequestSink | undefined
}

const STATUS: Readonly<Record<Reply<unknown>['status'], number>> = {
  ok: 200,
  created: 201,
  accepted: 202,
  waiting: 202,
}

/** Routes every endpoint; PATCH answers under POST as well, and a wrong method is told the right ones. */
export function endpointRoutes<D>(endpoints: readonly Endpoint<D>[], frame: Frame<D>): Router {
  const router = Router({ caseSensitive: true })
  const readJson = withinTime(jsonBody(JSON_LIMIT))
  const readRaw = fewSlowBodies(withinTime(rawBody(RAW_LIMIT)))
  const bodyReader = ({ raw, bodyLimit }: Endpoint<D>): RequestHandler => {
    if (raw) return readRaw
    return bodyLimit === undefined ? readJson : withinTime(jsonBody(bodyLimit))
  }

  for (const [path, methods] of byPath(endpoints)) {
    const route = router.route(path.replace(/\{(\w+)\}/g, ':$1'))
    const allow = allowed(methods)
    if ([...methods.values()].some(({ key }) => key === 'publishable')) {
      route.all(openToBrowsers(allow))
    }
    for (const [method, endpoint] of methods) {
      const chain = [
        note(endpoint.path),
        ...(frame.requests === undefined ? [] : [recordRequest(endpoint, frame.requests)]),
        ...opener(endpoint, frame),
        frame.limit,
        ...(method === 'GET' ? [] : [frame.room]),
        ...(method === 'GET' || endpoint.stream === true ? [] : [bodyReader(endpoint)]),
        answer(endpoint, frame),
      ]
      verb(route, method)(...chain)
    }
    route.all(wrongMethod(path, allow))
  }
  return router
}

/** What lets its callers in. */
function opener<D>(endpoint: Endpoint<D>, frame: Frame<D>): RequestHandler[] {
  const { key } = endpoint
  if (key === 'none') return []
  if (key === 'session') return [authenticate(frame, { key })]
  const scope = scopeOf(endpoint)
  return scope === undefined ? [] : [authenticate(frame, { key, scope })]
}

function byPath<D>(endpoints: readonly Endpoint<D>[]): Map<string, Map<Method, Endpoint<D>>> {
  const paths = new Map<string, Map<Method, Endpoint<D>>>()
  // A literal segment before a parameter at the same place, else `/accounts/merge` is an id.
  const ordered = [...endpoints].sort((a, b) => (rank(a.path) < rank(b.path) ? -1 : 1))
  for (const endpoint of ordered) {
    const methods = paths.get(endpoint.path) ?? new Map<Method, Endpoint<D>>()
    if (methods.has(endpoint.method))
      throw new Error(`Declared twice: ${endpoint.method} ${endpoint.path}`)
    methods.set(endpoint.method, endpoint)
    paths.set(endpoint.path, methods)
  }
  for (const methods of paths.values()) {
    const patch = methods.get('PATCH')
    if (patch !== undefined && !methods.has('POST')) methods.set('POST', patch)
  }
  return paths
}

const LAST = '\uffff'

function rank(path: string): string {
  return path.replace(/\{\w+\}/g, LAST)
}

function allowed<D>(methods: ReadonlyMap<Method, Endpoint<D>>): string {
  const names = [...methods.keys()]
  return [...names, ...(methods.has('GET') ? ['HEAD'] : [])].sort().join(', ')
}

function verb(route: ReturnType<Router['route']>, method: Method) {
  const verbs = {
    GET: route.get,
    POST: route.post,
    PATCH: route.patch,
    PUT: route.put,
    DELETE: route.delete,
  }
  return verbs[method].bind(route)
}

function note(template: string): RequestHandler {
  return (_req, res, next) => {
    res.locals.route = template
    next()
  }
}

function answer<D>(endpoint: Endpoint<D>, { deps, log }: Frame<D>): RequestHandler {
  return async (req: Request, res: Response) => {
    const reply = await endpoint.run({
      params: req.params,
      query: req.url.includes('?') ? req.query : {},
      body: req.body,
      caller: res.locals.caller,
      idempotencyKey: idempotencyKeyOf(req),
      header: (name) => req.get(name),
      log: () => log.child({ request: res.locals.requestId }),
      requestId: res.locals.requestId ?? '',
      address: () => addressOf(req),
      isSecure: () => isSecureRequest(req),
      deps,
      stream: req,
    })
    res.locals.object = reply.object
    for (const cookie of reply.cookies ?? []) res.append('Set-Cookie', cookie)
    if (reply.replayed === true) res.setHeader('Idempotent-Replayed', 'true')
    const isDone = reply.replayed === true && reply.status !== 'waiting'
    res.status(isDone ? 200 : STATUS[reply.status])
    if (reply.fileName !== undefined) res.attachment(reply.fileName)
    if (endpoint.media === undefined) sendJson(res, reply.object)
    else if (reply.object instanceof Readable)
      await sendStream(req, res.type(endpoint.media), reply.object)
    else res.type(endpoint.media).send(reply.object)
  }
}

/** As `res.json` without what it does for caches and views: no answer here has an ETag, and all are UTF-8. */
function sendJson(res: Response, object: unknown): void {
  const body = JSON.stringify(object)
  res.setHeader('Content-Type', 'application/json; charset=utf-8')
  res.setHeader('Content-Length', Buffer.byteLength(body))
  res.end(body) // one string, so that head and body leave in one write
}

/**
 * Sends what is made while it is sent. Where that fails, the connection is closed, so that no caller takes
 * half of it for the whole; a client that goes away ends the making.
 */
async function sendStream(req: Request, res: Response, stream: Readable): Promise<void> {
  try {
    await pipeline(stream, res)
  } catch (error) {
    res.destroy()
    if (!req.closed) throw error
  }
}

/** Answers every other method than those of `allow` (as the Allow header lists them) with 405. */
function wrongMethod(template: string, allow: string): RequestHandler {
  return (req, res) => {
    res.locals.route = template
    res.setHeader('Allow', allow)
    refuse('method_not_allowed', `There is no ${req.method} ${template}; there is ${allow}.`)
  }
}

/** For what is only read. */
export const onlyRead = (template: string): RequestHandler => wrongMethod(template, 'GET, HEAD')

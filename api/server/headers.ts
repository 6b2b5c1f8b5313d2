import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { RequestHandler } from 'express'
import helmet from 'helmet'

// An answer of data is no page: nothing in it may load or be framed. /docs sets a policy of its own.
const secure = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
})

/**
 * Helmet's headers, and that nothing here is cached. None depends on the request: asked of helmet once,
 * they are set as they are, which costs a twentieth of its thirteen middlewares.
 */
export function securityHeaders(): RequestHandler {
  const headers = headersOf(secure)
  headers.set('cache-control', 'no-store')
  return (_req, res, next) => {
    res.setHeaders(headers)
    next()
  }
}

function headersOf(middleware: typeof secure): Map<string, string> {
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  middleware(request, response, (error?: unknown) => {
    if (error instanceof Error) throw error
  })
  return new Map(
    Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]),
  )
}

const MAX_AGE_S = '7200' // what browsers keep a preflight at most

/** Lets a shop's own pages call the routes that a publishable key opens. */
export function openToBrowsers(methods: string): RequestHandler {
  return (req, res, next) => {
    res.setHeader('Access-Control-Allow-Origin', '*')
    res.setHeader(
      'Access-Control-Expose-Headers',
      'Request-Id, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After',
    )
    if (req.method !== 'OPTIONS') return next()
    res.setHeader('Access-Control-Allow-Methods', methods)
    res.setHeader(
      'Access-Control-Allow-Headers',
      'X-Api-Key, Authorization, Content-Type, Idempotency-Key',
    )
    res.setHeader('Access-Control-Max-Age', MAX_AGE_S)
    res.status(204).end()
  }
}

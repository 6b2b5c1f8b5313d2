import type { Request, RequestHandler, Response } from 'express'
import type { Logger } from 'pino'
import { newId } from '../../domain/ids.ts'
import type { ErrorCode } from '../../domain/refusal.ts'
import { scrubbed } from '../../process/log.ts'
import type { Caller } from './keys.ts'

// What the frame notes on a request for its own log line and metrics.
declare global {
  namespace Express {
    interface Locals {
      requestId?: string
      caller?: Caller
      route?: string
      code?: ErrorCode
      /** What the refusal is about. */
      param?: string | undefined
      startedMs?: number
      /** What the answer shows. */
      object?: unknown
      /** Why the answer is a 5xx, for the log alone. */
      error?: Error
    }
  }
}

const QUIET = /^\/(health|metrics|docs|openapi\.json)/

/**
 * One line a request, with its own id (a caller's is not trusted): method,
 * path without the query, status, time, route, workspace, key id and error
 * code. Headers and bodies are never logged. Written by hand: pino-http makes
 * a logger of its own for each request, whether anybody logs by it or not.
 */
export function requestLog(log: Logger): RequestHandler {
  // nothing but the fields below is written here, and redaction costs a copy of each line
  const lines = log.child({}, { redact: [] })
  return (req, res, next) => {
    const id = newId('req')
    const startedMs = performance.now()
    res.setHeader('Request-Id', id)
    res.locals.requestId = id
    res.locals.startedMs = startedMs
    // `close` comes once for every request, after `finish` where the answer was sent whole
    res.once('close', () => {
      const responseTime = Math.round(performance.now() - startedMs)
      const line = { req: requestForLog(req, id), res: responseForLog(res), responseTime }
      if (res.statusCode >= 500) {
        lines.error({ ...line, err: res.locals.error }, 'request errored')
        return
      }
      const level = QUIET.test(req.originalUrl) ? 'debug' : 'info'
      lines[level](line, res.writableFinished ? 'request completed' : 'request aborted')
    })
    next()
  }
}

function requestForLog(req: Request, id: string) {
  const path = req.originalUrl.split('?', 1)[0] ?? ''
  return { id, method: req.method, path: scrubbed(path) }
}

function responseForLog(res: Response) {
  const { caller, route, code } = res.locals
  return { status: res.statusCode, route, code, workspace: caller?.workspace, key: caller?.id }
}

/** Counts the requests that this process is answering. */
export class InFlight {
  #requests = 0

  get isAny(): boolean {
    return this.#requests > 0
  }

  readonly count: RequestHandler = (_req, res, next) => {
    this.#requests++
    // after the answer, and where the client went away before it
    res.once('close', () => {
      this.#requests--
    })
    next()
  }
}

import type { Request, RequestHandler, Response } from 'express'
import type { Logger } from 'pino'
import { pinoHttp } from 'pino-http'
import { newId } from '../domain/ids.ts'
import { errorForLog, scrubbed } from './log.ts'

const QUIET = /^\/(health|metrics|docs|openapi\.json)/

/**
 * One line a request, with its own id (a caller's is not trusted): method,
 * path without the query, status, time, route, workspace, key id and error
 * code. Headers and bodies are never logged.
 */
export function requestLog(log: Logger): RequestHandler {
  return pinoHttp<Request, Response>({
    logger: log,
    genReqId: (_req, res) => {
      const id = newId('req')
      res.setHeader('Request-Id', id)
      res.locals.requestId = id
      return id
    },
    wrapSerializers: false, // theirs copies every header first
    redact: [], // nothing but the fields below is written here, and redaction costs a copy of each line
    serializers: { req: requestForLog, res: responseForLog, err: errorForLog },
    customLogLevel: (req, res) => {
      if (res.statusCode >= 500) return 'error'
      return QUIET.test(req.originalUrl) ? 'debug' : 'info'
    },
  })
}

function requestForLog(req: Request) {
  const path = req.url.split('?', 1)[0] ?? ''
  return { id: req.id, method: req.method, path: scrubbed(path) }
}

function responseForLog(res: Response) {
  const { caller, route, code } = res.locals
  return { status: res.statusCode, route, code, workspace: caller?.workspace, key: caller?.id }
}

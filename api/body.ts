import { isUtf8 } from 'node:buffer'
import express, {
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import { Refused } from '../domain/refusal.ts'

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i

/**
 * Reads a JSON body of at most `limit` (as `100kb`) into `req.body`; no body
 * at all reads as undefined. Any other kind of body is refused with
 * unsupported_media_type.
 */
export function jsonBody(limit: string): RequestHandler {
  // `strict: false` lets a bare value through, for the schema to say that an object is wanted.
  const read = express.json({ limit, strict: false, type: () => true, verify: refuseOtherBytes })
  return (req: Request, res: Response, next: NextFunction) => {
    if (!hasBody(req)) return next()
    if (!JSON_TYPE.test(req.headers['content-type'] ?? '')) {
      return next(
        new Refused({
          code: 'unsupported_media_type',
          message: 'The body must be application/json.',
        }),
      )
    }
    return read(req, res, next)
  }
}

// The decoder would put U+FFFD in the place of what is none, and that would be stored.
function refuseOtherBytes(_req: unknown, _res: unknown, bytes: Buffer, charset: string): void {
  if (charset === 'utf-8' && !isUtf8(bytes)) {
    throw new Refused({ code: 'invalid_json', message: 'The body is not valid UTF-8.' })
  }
}

/** Keeps the body's bytes, whatever they claim to be: a signature is made over bytes. */
export function rawBody(limit: string): RequestHandler {
  return express.raw({ limit, type: () => true })
}

function hasBody(req: Request): boolean {
  if (req.headers['transfer-encoding'] !== undefined) return true
  const length = req.headers['content-length']
  return length !== undefined && length !== '0'
}

import { isUtf8 } from 'node:buffer'
import express, {
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import { Refused } from '../../domain/refusal.ts'
import { addressOf } from './rate-limits.ts'

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

const BODY_MS = 30_000 // a megabyte over a poor line takes ten seconds
const LINGER_MS = 2_000 // so that who is still sending can read why it was refused
const SLOW_MS = 1_000
const PER_ADDRESS = 20 // a provider's events come whole in a packet or two
const IN_ALL = 100

/**
 * Reads a body with `read` for at most `limitMs`. One that takes longer is refused with invalid_json, and
 * its connection is closed.
 */
export function withinTime(read: RequestHandler, limitMs: number = BODY_MS): RequestHandler {
  return (req: Request, res: Response, next: NextFunction) => {
    if (req.complete) return read(req, res, next)
    let isOver = false
    const limit = setTimeout(() => {
      isOver = true
      res.setHeader('Connection', 'close')
      next(new Refused({ code: 'invalid_json', message: 'The body took too long to arrive.' }))
    }, limitMs)
    return read(req, res, (error?: unknown) => {
      clearTimeout(limit)
      if (!isOver) next(error)
    })
  }
}

/**
 * Bounds how many slow bodies are read at once from those who have shown no key, by address and in all. A
 * body is slow once it has taken a second; one more is refused with too_many_requests, and its connection
 * is closed. Counted in this process.
 */
export function fewSlowBodies(
  read: RequestHandler,
  { perAddress = PER_ADDRESS, inAll = IN_ALL, slowMs = SLOW_MS } = {},
): RequestHandler {
  const slow = new Map<string, number>()
  let all = 0
  const count = (address: string, by: 1 | -1) => {
    all += by
    const now = (slow.get(address) ?? 0) + by
    if (now === 0) slow.delete(address)
    else slow.set(address, now)
  }
  return (req, res, next) => {
    const address = addressOf(req)
    let state: 'quick' | 'counted' | 'done' = 'quick'
    const done = () => {
      clearTimeout(patience)
      if (state === 'counted') count(address, -1)
      state = 'done'
    }
    const patience = setTimeout(() => {
      if ((slow.get(address) ?? 0) < perAddress && all < inAll) {
        state = 'counted'
        return count(address, 1)
      }
      state = 'done'
      res.setHeader('Connection', 'close')
      next(new Refused({ code: 'too_many_requests', message: 'Too many slow bodies at once.' }))
    }, slowMs)
    res.once('close', done) // also where the peer went away in the middle
    return read(req, res, (error?: unknown) => {
      const wasRefused = state === 'done'
      done()
      if (!wasRefused) next(error)
    })
  }
}

/** Ends the connection of a request that was answered while its body was still coming, a moment later. */
export function noEndlessBody(lingerMs: number = LINGER_MS): RequestHandler {
  return (req, res, next) => {
    res.once('finish', () => {
      if (req.complete) return
      const end = setTimeout(() => {
        if (!req.complete) req.socket.destroy()
      }, lingerMs)
      req.once('close', () => clearTimeout(end))
    })
    next()
  }
}

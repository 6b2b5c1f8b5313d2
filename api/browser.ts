import type { RequestHandler } from 'express'

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

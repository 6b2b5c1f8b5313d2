import type { RequestHandler } from 'express'
import { Histogram, type Registry } from 'prom-client'

// 1 ms to 10 s: a create takes some 5 ms, and a call to Temporal is given up after 10 s.
const BUCKETS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Times every request by route template, method and status into `registry`. */
export function requestMetrics(registry: Registry): RequestHandler {
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer, by route template.',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS_S,
    registers: [registry],
  })
  return (req, res, next) => {
    const started = performance.now()
    res.once('finish', () => {
      const route = res.locals.route ?? 'unmatched'
      duration.observe(
        { method: req.method, route, status: res.statusCode },
        (performance.now() - started) / 1_000,
      )
    })
    next()
  }
}

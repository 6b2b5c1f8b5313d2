import type { ErrorCode } from '../domain/refusal.ts'
import type { ApiKey } from './auth.ts'

// What the frame notes on a request for its own log line and metrics.
declare global {
  namespace Express {
    interface Locals {
      requestId?: string
      caller?: ApiKey
      route?: string
      code?: ErrorCode
      /** Why the answer is a 5xx, for the log alone. */
      error?: Error
    }
  }
}

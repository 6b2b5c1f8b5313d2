import { Refused } from '../domain/refusal.ts'

const TRIES = 4
const RETRIED = new Set(['40001', '40P01']) // serialization failure, deadlock: rolled back, nothing was written
const WAITED_TOO_LONG = '55P03' // lock_timeout: the first request with this key still runs

/**
 * Runs a writer again where the database rolled it back for another's sake. A
 * repeat that waited for its first request too long is refused with
 * idempotency_key_in_use.
 */
export async function write<T>(activity: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await activity()
    } catch (error) {
      const code = pgCodeOf(error)
      if (code === WAITED_TOO_LONG) {
        throw new Refused({
          code: 'idempotency_key_in_use',
          message: 'The first request with this Idempotency-Key is still running.',
        })
      }
      if (code === undefined || !RETRIED.has(code) || attempt === TRIES) throw error
    }
  }
}

/** The SQLSTATE behind an error; drizzle wraps the driver's. */
function pgCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return pgCodeOf(error.cause)
}

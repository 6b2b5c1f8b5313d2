import { Refused } from '../domain/refusal.ts'

const TRIES = 4
const RETRIED = new Set(['40001', '40P01']) // serialization failure, deadlock: rolled back, nothing was written
const WAITED_TOO_LONG = '55P03' // lock_timeout: nothing was written

/**
 * Runs a writer again where the database rolled it back for another's sake. One that waited too long for a
 * lock is refused: a repeat, whose first request still runs, with idempotency_key_in_use; else with
 * temporarily_unavailable, because another change of the same account is under way.
 */
export async function retryOnConflict<T>(write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write()
    } catch (error) {
      const { code, where } = pgErrorOf(error) ?? {}
      if (code === WAITED_TOO_LONG) throw waitedTooLong(where)
      if (code === undefined || !RETRIED.has(code) || attempt === TRIES) throw error
    }
  }
}

function waitedTooLong(where: string | undefined): Refused {
  if (where?.includes('idempotency_claim') === true) {
    return new Refused({
      code: 'idempotency_key_in_use',
      message: 'The first request with this Idempotency-Key is still running.',
    })
  }
  return new Refused({
    code: 'temporarily_unavailable',
    message: 'Another change of the same object takes long. Nothing was written; try again.',
  })
}

/** Whether the database rolled the writer back for another's sake, so that nothing was written. */
export function isConflict(error: unknown): boolean {
  const code = pgErrorOf(error)?.code
  return code !== undefined && (RETRIED.has(code) || code === WAITED_TOO_LONG)
}

/** The database's own error behind an error; drizzle wraps the driver's. */
function pgErrorOf(error: unknown): { code: string; where: string | undefined } | undefined {
  if (!(error instanceof Error)) return undefined
  if (!('code' in error) || typeof error.code !== 'string') return pgErrorOf(error.cause)
  const where = 'where' in error && typeof error.where === 'string' ? error.where : undefined
  return { code: error.code, where }
}

import type { SqlRefusal } from '../db/sql-refusal.ts'
import { pointsOf } from '../domain/points.ts'
import { type ErrorCode, type Refusal, Refused, refusalSentence } from '../domain/refusal.ts'

// The fields that the ledger fills with points in the smallest unit.
const IN_UNITS = ['required', 'available', 'missing']

/** The ledger's "no" as the API says it: points in the program's decimals. */
export function inPoints(refusal: SqlRefusal, decimals: number): Refusal {
  const converted: Record<string, unknown> = { ...refusal }
  for (const name of IN_UNITS) {
    const units = refusal[name]
    if (typeof units === 'number') converted[name] = pointsOf(units, decimals)
  }
  return refusalSentence({ ...converted, code: refusal.code })
}

/** 404 for something that a body names and that does not exist here. */
export function missing(param: string, id: string): never {
  const code: ErrorCode = 'resource_missing'
  throw new Refused({ code, message: `No such ${param}: ${id}.`, param })
}

/** 404 for the object that the path names. */
export function notFound(what: string, id: string): never {
  throw new Refused({ code: 'resource_missing', message: `No such ${what}: ${id}.` })
}

/** Refuses a repeat whose Idempotency-Key came first with another request, by the fingerprint stored then. */
export function refuseOtherRequest(stored: string | null, fingerprint: string): void {
  if (stored === fingerprint) return
  const message = 'This Idempotency-Key was used with another request.'
  throw new Refused({ code: 'idempotency_key_reused', message })
}

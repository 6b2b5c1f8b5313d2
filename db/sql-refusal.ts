import type { ErrorCode } from '../domain/refusal.ts'

/** A ledger function's "no": the code and its fields; points in the smallest unit, dates as text. */
export type SqlRefusal = { code: ErrorCode } & Readonly<Record<string, unknown>>

/** The refusal that a function raised to undo its transaction (VR001); anything else is thrown on. */
export function refusalRaised(error: unknown): SqlRefusal {
  if (error instanceof Error && 'code' in error && error.code === 'VR001')
    return JSON.parse(error.message) as SqlRefusal
  throw error
}

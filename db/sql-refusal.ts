import type { ErrorCode } from '../domain/refusal.ts'

/** A ledger function's "no": the code and its fields; points in the smallest unit, dates as text. */
export type SqlRefusal = { code: ErrorCode } & Readonly<Record<string, unknown>>

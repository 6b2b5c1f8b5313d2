import type { SqlRefusal } from '../domain/ledger-refusal.ts'

export type { SqlRefusal } from '../domain/ledger-refusal.ts'

/** The refusal that a function raised to undo its transaction (VR001); anything else is thrown on. */
export function refusalRaised(error: unknown): SqlRefusal {
  if (error instanceof Error && 'code' in error && error.code === 'VR001')
    return JSON.parse(error.message) as SqlRefusal
  throw error
}

export type { Role } from '../../domain/roles.ts'
export type { TokenKind } from '../../domain/team-member.ts'

/** When a session was seen last; `at` in ISO 8601. */
export type SessionUse = { id: string; at: string }

/** What may be tried how often: the bucket's key, what fits, and what waits beyond it. */
export type AttemptLimit = {
  key: string
  /** Failures that cost no wait. */
  free: number
  /** After how long one is forgotten. */
  leak_ms: number
  /** The wait after the first beyond those, doubled by each further one. */
  first_ms: number
  longest_ms: number
}

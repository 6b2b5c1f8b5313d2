export type { KeyKind } from '../../domain/secrets.ts'

/** When a key was used last; `at` in ISO 8601. */
export type KeyUse = { workspace: string; id: string; at: string }

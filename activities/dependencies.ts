import type { Pool } from '../db/pool.ts'
import type { Engine } from '../temporal/engine.ts'
import type { OnFailure } from './failures.ts'
import type { Nudge } from './webhooks/nudge.ts'

/** What an activity may touch: the database, and the engine to message other workflows. */
export type Dependencies = {
  readonly pool: Pool
  readonly engine: Engine
  /** Told after a commit that may have brought webhook deliveries. */
  readonly nudge?: Nudge
  /** Told what failed and stopped nothing else; without it that goes to standard error. */
  readonly onFailure?: OnFailure | undefined
  /** Addresses and blocks that webhooks may reach although they are private. */
  readonly allowedAddresses?: readonly string[]
}

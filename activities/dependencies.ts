import type { Pool } from '../db/pool.ts'
import type { Engine } from '../temporal/engine.ts'
import type { Nudge } from './webhooks/nudge.ts'

/** What an activity may touch: the database, and the engine to message other workflows. */
export type Dependencies = {
  readonly pool: Pool
  readonly engine: Engine
  /** Told after a commit that may have brought webhook deliveries. */
  readonly nudge?: Nudge
  /** Addresses and blocks that webhooks may reach although they are private. */
  readonly allowedAddresses?: readonly string[]
}

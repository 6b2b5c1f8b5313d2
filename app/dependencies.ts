import type { Pool } from '../db/pool.ts'
import type { OnFailure } from '../domain/failure.ts'
import type { Engine } from '../temporal/engine.ts'

/** What a command may touch: the database, and the engine to message other workflows. */
export type Dependencies = {
  readonly pool: Pool
  readonly engine: Engine
  /** Called with what failed and stopped nothing else; without it that goes to standard error. */
  readonly onFailure?: OnFailure | undefined
  /** Addresses and blocks that webhooks may reach although they are private. */
  readonly allowedAddresses?: readonly string[]
  /** How many days the request log is kept; as config.ts has it where nobody says. */
  readonly requestLogDays?: number
  /** How many days payloads of provider events are kept; likewise. */
  readonly inboxPayloadDays?: number
}

import type { Pool } from '../db/pool.ts'
import type { Engine } from '../temporal/engine.ts'

/** What an activity may touch: the database, and the engine to message other workflows. */
export type Dependencies = { readonly pool: Pool; readonly engine: Engine }

import type { RequestActivities } from '../activities/index.ts'
import type { PaymentSecret } from '../db/api-keys.ts'
import type { Pool } from '../db/pool.ts'
import type { Engine } from '../temporal/engine.ts'
import type { Decimals } from './decimals.ts'

/** What the product's handlers reach. Only `activities` write. */
export type Deps = {
  readonly pool: Pool
  readonly engine: Engine
  readonly activities: RequestActivities
  readonly decimals: Decimals
  /** How long a redemption waits for its payment where neither reward nor program says. */
  readonly holdMinutes: number
  /** The signing secrets of a payment provider; remembered for seconds. */
  readonly paymentSecrets: (provider: string) => Promise<PaymentSecret[]>
}

import type { ApprovalRules } from '../../app/approval-limits.ts'
import type { Checks } from '../../app/event-schemas/checks.ts'
import type { FailedAttempts } from '../../app/failed-attempts.ts'
import type { Commands } from '../../app/index.ts'
import type { Oidc } from '../../app/oidc.ts'
import type { Decimals } from '../../app/points.ts'
import type { TokenDelivery } from '../../app/token-delivery.ts'
import type { Pool } from '../../db/pool.ts'
import type { OnFailure } from '../../domain/failure.ts'
import type { CodeVault } from '../../domain/gift-card.ts'
import type { Engine } from '../../temporal/engine.ts'
import type { Inbound } from '../webhooks/inbound.ts'
import type { Allowance } from './rate-limits.ts'

/** What the product's handlers reach. */
export type Deps = {
  /** For reads; what writes is `commands`, on connections of their own. */
  readonly pool: Pool
  readonly engine: Engine
  readonly commands: Commands
  /** Told what failed and stopped nothing else. */
  readonly onFailure: OnFailure
  readonly decimals: Decimals
  readonly approvalRules: ApprovalRules
  /** Holds payloads against merchants' schemas, in threads of their own. */
  readonly checks: Checks
  /** Seals and opens gift card codes; undefined where the server has no key. */
  readonly codes: CodeVault | undefined
  /** How long a redemption waits for its payment where neither reward nor program says. */
  readonly holdMinutes: number
  /** What members' phones, cards and devices of a workspace are hashed with. */
  readonly memberKey: (workspace: string) => Promise<Buffer>
  /** Failed look-ups of members, by API key and kind. */
  readonly attempts: FailedAttempts
  /** How often publishable keys may ask what an account could have, by workspace and account. */
  readonly shopperQuestions: Allowance
  /** What providers' webhooks are verified with. */
  readonly inbound: Inbound
  /** How one-time tokens get to people. */
  readonly tokens: TokenDelivery
  /** Sign-in by an OpenID provider. */
  readonly oidc: Oidc
  /** Called when keys or people were changed here: then this process knows at once, the others within five seconds. */
  readonly accessChanged: () => void
}

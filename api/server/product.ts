import type { Express } from 'express'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { approvalRulesFrom } from '../../app/approval-limits.ts'
import { CallerUses } from '../../app/caller-uses.ts'
import { Checks } from '../../app/event-schemas/checks.ts'
import { failedAttempts } from '../../app/failed-attempts.ts'
import { failuresTo } from '../../app/failures.ts'
import { createCommands } from '../../app/index.ts'
import { type OidcSettings, oidc } from '../../app/oidc.ts'
import { decimalsFrom } from '../../app/points.ts'
import { type MailSettings, tokenDelivery } from '../../app/token-delivery.ts'
import { ttlCache } from '../../app/ttl-cache.ts'
import { findApiKey } from '../../db/api-keys.ts'
import { databaseNow, isMigrated } from '../../db/clock.ts'
import { readOutboxBacklog } from '../../db/outbox.ts'
import type { Pool } from '../../db/pool.ts'
import { findSession } from '../../db/sessions.ts'
import type { OnFailure } from '../../domain/failure.ts'
import { type CodeKey, codeVault } from '../../domain/gift-card.ts'
import { memberKey } from '../../domain/identity.ts'
import { OUTBOX_CAP, outboxMetrics } from '../../process/metrics.ts'
import { type Engine, within } from '../../temporal/engine.ts'
import { inbound } from '../webhooks/inbound.ts'
import { type AppOptions, createApp } from './app.ts'
import type { Deps } from './deps.ts'
import { ENDPOINTS } from './endpoints.ts'
import { keptExamples } from './examples.ts'
import { type Check, NotReady } from './health.ts'
import { callerCache } from './keys.ts'
import { allowance } from './rate-limits.ts'

const OLD_OUTBOX_S = 60 // what a process and the sweep behind it make of a burst is younger
const PEPPER_MS = 600_000 // a pepper never changes
const MOST_PEPPERS = 1_000
// A minute and account: a cart drawn anew every second stays below, a search for a balance does not get far.
const SHOPPER_QUESTIONS = 60

export type PeopleSettings = {
  readonly mail?: MailSettings | undefined
  readonly signInUrl?: string | undefined
  readonly oidc?: OidcSettings | undefined
}

type Parts = {
  /** What writes are made on. */
  readonly pool: Pool
  /** What reads are made on, so that no write keeps them waiting; `pool` where there is none. */
  readonly reads?: Pool
  readonly engine: Engine
  readonly holdMinutes: number
  /** The installation's secret over every workspace's pepper; without it the peppers stand alone. */
  readonly memberPepper?: string | undefined
  readonly log: Logger
  readonly registry: Registry
  readonly version: string
  /** Private addresses that webhooks may reach all the same. */
  readonly allowedAddresses?: readonly string[]
  /** How people sign in and get their links, besides by password and by hand. */
  readonly people?: PeopleSettings
  /** Without any there are no gift card codes. */
  readonly giftCodeKeys?: readonly CodeKey[]
  /** Closed by whoever made them; without any the product has its own, which keep no process alive. */
  readonly checks?: Checks
  /** Flushed by whoever made it. */
  readonly callerUses?: CallerUses
  /** Told what failed and stopped nothing else; counted in the registry where nobody is named. */
  readonly onFailure?: OnFailure
}

type Settings = Pick<
  AppOptions<Deps>,
  | 'draining'
  | 'metrics'
  | 'ratePerSecond'
  | 'failedKeysPerMinute'
  | 'trustProxy'
  | 'publicUrl'
  | 'verifyReplies'
  | 'inFlight'
  | 'room'
  | 'requests'
>

/** The product's HTTP surface over a database and an engine. */
export function productApp(parts: Parts, settings: Settings = {}): Express {
  const {
    pool,
    reads = pool,
    engine,
    holdMinutes,
    memberPepper,
    allowedAddresses,
    giftCodeKeys = [],
    people = {},
    checks = new Checks(parts.log),
    onFailure = failuresTo(parts.registry, parts.log),
    callerUses = new CallerUses({ pool: parts.pool, onFailure }),
    ...rest
  } = parts
  const keys = callerCache((hash) => findApiKey(reads, hash))
  const sessions = callerCache((key) => findSession(reads, key))
  const commands = createCommands({ pool, engine, allowedAddresses, onFailure })
  const deps: Deps = {
    pool: reads,
    engine,
    holdMinutes,
    commands,
    onFailure,
    decimals: decimalsFrom(reads),
    approvalRules: approvalRulesFrom(reads),
    checks,
    memberKey: ttlCache(
      async (workspace) => memberKey(await commands.memberPepper(workspace), memberPepper),
      { ttlMs: PEPPER_MS, most: MOST_PEPPERS },
    ),
    attempts: failedAttempts(pool),
    shopperQuestions: allowance(SHOPPER_QUESTIONS),
    codes: codeVault(giftCodeKeys),
    inbound: inbound(reads, parts.registry),
    tokens: tokenDelivery({ ...people, onFailure }),
    oidc: oidc(pool, people.oidc),
    accessChanged: () => {
      keys.forget()
      sessions.forget()
    },
  }
  outboxMetrics(rest.registry, reads, rest.log)
  return createApp<Deps>({
    ...rest,
    ...settings,
    deps,
    endpoints: ENDPOINTS,
    examples: keptExamples,
    keys,
    sessions,
    used: (caller) => callerUses.note(caller),
    checks: checksOf(reads),
    degradedBy: temporalChecks(reads, engine),
  })
}

function checksOf(pool: Pool): Readonly<Record<string, Check>> {
  return {
    postgres: async () => {
      await databaseNow(pool)
      return undefined
    },
    migrations: async () => {
      if (!(await isMigrated(pool))) throw new NotReady('the migrations have not run')
      return undefined
    },
  }
}

/** Without Temporal everything is answered; what it must do waits in the outbox. */
function temporalChecks(pool: Pool, engine: Engine): Readonly<Record<string, Check>> {
  return {
    temporal: async () => {
      const { client } = engine
      const { namespace } = client.options
      await within(engine, () => client.workflowService.describeNamespace({ namespace }))
      return undefined
    },
    outbox: async () => {
      const { waiting, oldest_seconds: age } = await readOutboxBacklog(pool, OUTBOX_CAP)
      const figures = { waiting, oldest_seconds: age === null ? null : Math.round(age) }
      if (age !== null && age > OLD_OUTBOX_S) {
        throw new NotReady('Temporal was not given for long what it must do', figures)
      }
      return figures
    },
  }
}

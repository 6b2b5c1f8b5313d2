import { ApiKeys } from './api-keys.ts'
import { Approvals } from './approvals.ts'
import { Attention } from './attention.ts'
import { Events, WebhookEndpoints } from './events.ts'
import { Loyalty } from './loyalty.ts'
import { Payments, Refunds } from './payments.ts'
import { Memberships, Sessions, TeamMembers } from './people.ts'
import { EventTypes, Reactors } from './reactors.ts'
import type { Fetch, SessionSettings, Settings } from './request.ts'
import { Requests } from './requests.ts'
import { Search } from './search.ts'
import { Members, SettingsOfTills, TillEvents, Wallets } from './tills.ts'
import { Upcoming } from './upcoming.ts'
import { Webhooks } from './webhooks.ts'

export * from './errors.ts'
export type { ImportOptions, ImportRow, ImportSource, ProgressOptions } from './imports.ts'
export { memberToken } from './member-token.ts'
export type { Page, PagePromise } from './page.ts'
export type { CallOptions, LastResponse } from './request.ts'
export type * from './tills.ts'
export type * from './types.ts'

export type VinrOptions = {
  /** `sk_test_…` or `sk_live_…`; required where there is no `session`. */
  secretKey?: string | undefined
  /** Instead of a key, in a page of the server's own origin: the person who is signed in there. */
  session?: { workspace?: string; csrfToken?: string } | undefined
  /** The server's origin, without `/v1`. Default: the environment's VINR_BASE_URL, else VINR's own. */
  baseUrl?: string | undefined
  /** Of one try; 30,000 where nothing is said. */
  timeoutMs?: number | undefined
  /** Tries after the first; 2 where nothing is said. */
  maxRetries?: number | undefined
  fetch?: Fetch | undefined
  /** What `webhooks.verify` takes. Default: the environment's VINR_WEBHOOK_SECRET. */
  webhookSecret?: string | undefined
}

const TIMEOUT_MS = 30_000
const MAX_RETRIES = 2
const BASE_URL = 'https://api.vinr.com'

/** The client of VINR Engagement. */
export class Vinr {
  readonly payments: Payments
  readonly refunds: Refunds
  readonly loyalty: Loyalty
  readonly apiKeys: ApiKeys
  readonly teamMembers: TeamMembers
  readonly memberships: Memberships
  readonly sessions: Sessions
  readonly events: Events
  readonly requests: Requests
  readonly eventTypes: EventTypes
  readonly reactors: Reactors
  readonly webhookEndpoints: WebhookEndpoints
  readonly upcoming: Upcoming
  readonly attention: Attention
  readonly search: Search
  readonly approvals: Approvals
  readonly webhooks: Webhooks
  readonly wallets: Wallets
  readonly settings: SettingsOfTills
  readonly members: Members
  readonly tillEvents: TillEvents

  readonly #session: SessionSettings | undefined

  constructor(options: VinrOptions) {
    const { secretKey, timeoutMs = TIMEOUT_MS, maxRetries = MAX_RETRIES, fetch } = options
    if (!secretKey && options.session === undefined) {
      throw new Error('new Vinr({ secretKey }) needs a secret key (sk_…), or a session.')
    }
    const own =
      options.session && (globalThis as { location?: { origin?: string } }).location?.origin
    const baseUrl = options.baseUrl ?? own ?? environment('VINR_BASE_URL') ?? BASE_URL
    const { workspace, csrfToken } = options.session ?? {}
    const settings: Settings = {
      secretKey: options.session === undefined ? secretKey : undefined,
      session: options.session && { workspace, csrfToken },
      baseUrl: baseUrl.replace(/\/+$/, ''),
      timeoutMs,
      maxRetries,
      // Looked up at each call, so that what replaces it (a test, a tracer) is used.
      fetch: fetch ?? ((url, init) => globalThis.fetch(url, init)),
    }
    this.payments = new Payments(settings)
    this.refunds = new Refunds(settings)
    this.loyalty = new Loyalty(settings)
    this.apiKeys = new ApiKeys(settings)
    this.teamMembers = new TeamMembers(settings)
    this.memberships = new Memberships(settings)
    this.sessions = new Sessions(settings)
    this.#session = settings.session
    this.events = new Events(settings)
    this.requests = new Requests(settings)
    this.eventTypes = new EventTypes(settings)
    this.reactors = new Reactors(settings)
    this.webhookEndpoints = new WebhookEndpoints(settings)
    this.upcoming = new Upcoming(settings)
    this.attention = new Attention(settings)
    this.search = new Search(settings)
    this.approvals = new Approvals(settings)
    this.wallets = new Wallets(settings)
    this.settings = new SettingsOfTills(settings)
    this.members = new Members(settings)
    this.tillEvents = new TillEvents(settings)
    this.webhooks = new Webhooks(options.webhookSecret ?? environment('VINR_WEBHOOK_SECRET'))
  }

  /** The workspace that a client with a session is about from now on. */
  useWorkspace(workspace: string): void {
    if (this.#session === undefined) throw new Error('A key has a workspace of its own.')
    this.#session.workspace = workspace
  }
}

/** A variable of the environment, where there is one: browsers and some edges have none. */
function environment(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } }
  return process?.env?.[name] || undefined
}

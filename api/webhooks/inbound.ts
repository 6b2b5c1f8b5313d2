import { setImmediate } from 'node:timers/promises'
import { MemoryStore, rateLimit } from 'express-rate-limit'
import { Counter, type Registry } from 'prom-client'
import { ttlCache } from '../../app/ttl-cache.ts'
import {
  findEndpointSecrets,
  findPaymentSecrets,
  type PaymentSecret,
} from '../../db/payment-secrets.ts'
import type { Pool } from '../../db/pool.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import type { Provider, Verification } from './provider.ts'

const SECRETS_MS = 5_000 // a rolled signing secret is known after at most this
const MOST_PROVIDERS = 50
const MOST_ENDPOINTS = 10_000

/** What the inbound webhooks of payment providers are verified and counted with. */
export type Inbound = {
  /** The secrets of one endpoint; remembered for seconds. */
  readonly endpointSecrets: (provider: string, endpoint: string) => Promise<PaymentSecret[]>
  /** The secrets taken at a provider's address without an endpoint; remembered for seconds. */
  readonly sharedSecrets: (provider: string) => Promise<PaymentSecret[]>
  readonly findSigner: FindSigner
  readonly forgeries: Forgeries
  /** Counts an event that came again with other content. */
  readonly countConflict: (provider: string) => void
}

export function inbound(pool: Pool, registry: Registry): Inbound {
  const conflicts = new Counter({
    name: 'vinr_payment_event_conflicts_total',
    help: 'Provider events whose id came before with other content, by provider; kept in attention.',
    labelNames: ['provider'],
    registers: [registry],
  })
  const byEndpoint = ttlCache(
    (key) => {
      const [provider = '', endpoint = ''] = key.split(' ')
      return findEndpointSecrets(pool, provider, endpoint)
    },
    { ttlMs: SECRETS_MS, most: MOST_ENDPOINTS },
  )
  return {
    endpointSecrets: (provider, endpoint) => byEndpoint(`${provider} ${endpoint}`),
    sharedSecrets: ttlCache((provider) => findPaymentSecrets(pool, provider), {
      ttlMs: SECRETS_MS,
      most: MOST_PROVIDERS,
    }),
    findSigner: signerSearch(),
    forgeries: forgeries(registry),
    countConflict: (provider) => conflicts.inc({ provider }),
  }
}

const WINDOW_MS = 60_000
const MOST_A_MINUTE = 60 // an endpoint whose secret was rolled too early stays below

/** Provider events whose signature nobody we know has made, by the sender's address. */
type Forgeries = {
  /** Whether the address has sent so many within a minute that no search is made for it. */
  areMany(address: string): Promise<boolean>
  /** Counts one more and refuses it: invalid_signature, or too_many_requests once there are many. */
  refuse(provider: string, address: string): Promise<never>
}

/** Counts them in this process, and by provider in `registry`. */
function forgeries(registry: Registry, most: number = MOST_A_MINUTE): Forgeries {
  const refused = new Counter({
    name: 'vinr_payment_events_refused_total',
    help: 'Provider events refused because no secret of ours made their signature, by provider.',
    labelNames: ['provider'],
    registers: [registry],
  })
  const store = new MemoryStore()
  rateLimit({ windowMs: WINDOW_MS, store }) // starts the store's clock
  return {
    areMany: async (address) => ((await store.get(address))?.totalHits ?? 0) >= most,
    refuse: async (provider, address) => {
      refused.inc({ provider })
      const { totalHits } = await store.increment(address)
      if (totalHits > most) return tooMany()
      return refuse('invalid_signature', 'No secret of ours made this signature, or it is too old.')
    },
  }
}

/** What an address is told that has sent too many false signatures. */
export function tooMany(): never {
  throw new Refused({
    code: 'too_many_requests',
    message: 'Too many false signatures came from this address. Wait a minute.',
  })
}

const MEGABYTE = 2 ** 20
const SLICE_BYTES = 8 * MEGABYTE // hashed in some 5 ms: nobody waits longer for the thread
const SEARCH_BYTES = 256 * MEGABYTE
const MOST_WAITING = 20
const RECENT = 16 // endpoints that are tried before any search, last used first

export type Search = {
  readonly provider: Provider
  readonly given: Verification<PaymentSecret>
  /** Asked before a long search: whether it may be made at all. */
  readonly mayStart: () => Promise<void>
}

/** The secret that made a signature; undefined: none did. */
type FindSigner = (search: Search) => Promise<PaymentSecret | undefined>

/**
 * Finds who signed among the secrets of many tenants. Each costs a hash of the whole body, so what one
 * request may cost is bounded: little is tried at once; more is tried in slices, one search at a time in
 * this process, after the endpoints that were right lately. Refused: body_too_large, a body that times
 * its secrets is more than a search may hash; temporarily_unavailable where too many searches wait.
 */
export function signerSearch({
  sliceBytes = SLICE_BYTES,
  searchBytes = SEARCH_BYTES,
} = {}): FindSigner {
  let recent: readonly string[] = []
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()

  const note = (signer: PaymentSecret | undefined) => {
    if (signer !== undefined && recent[0] !== signer.endpoint) {
      recent = [signer.endpoint, ...recent.filter((id) => id !== signer.endpoint)].slice(0, RECENT)
    }
    return signer
  }

  return async ({ provider, given, mayStart }) => {
    const { secrets } = given
    const cost = given.body.length * secrets.length
    if (cost <= sliceBytes) return provider.verify(given)
    const known = recent.flatMap((id) => secrets.filter(({ endpoint }) => endpoint === id))
    const signer = await inSlices(provider, { ...given, secrets: known }, sliceBytes)
    if (signer !== undefined) return note(signer)
    await mayStart()
    if (cost > searchBytes) throw tooLarge()
    if (waiting >= MOST_WAITING) throw busy()
    waiting++
    const search = last.then(() => inSlices(provider, given, sliceBytes))
    last = search.catch(() => undefined) // whoever asked for it is told
    try {
      return note(await search)
    } finally {
      waiting--
    }
  }
}

async function inSlices(
  provider: Provider,
  given: Verification<PaymentSecret>,
  sliceBytes: number,
): Promise<PaymentSecret | undefined> {
  const { secrets, body } = given
  const step = Math.max(1, Math.floor(sliceBytes / Math.max(1, body.length)))
  for (let from = 0; from < secrets.length; from += step) {
    const signer = provider.verify({ ...given, secrets: secrets.slice(from, from + step) })
    if (signer !== undefined) return signer
    await setImmediate()
  }
  return undefined
}

const tooLarge = () =>
  new Refused({
    code: 'body_too_large',
    message: "The body is too large for the shared address; send it to the endpoint's own.",
  })

const busy = () =>
  new Refused({
    code: 'temporarily_unavailable',
    message: "Too many events wait at the shared address; use the endpoint's own, or try again.",
  })

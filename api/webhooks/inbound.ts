import { Counter, type Registry } from 'prom-client'
import { ttlCache } from '../../app/ttl-cache.ts'
import { findEndpointSecrets, findPaymentSecrets, type PaymentSecret } from '../../db/api-keys.ts'
import type { Pool } from '../../db/pool.ts'
import { type Forgeries, forgeries } from './forgeries.ts'
import { type FindSigner, signerSearch } from './signer-search.ts'

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

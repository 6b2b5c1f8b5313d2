import { Registry } from 'prom-client'
import { z } from 'zod'
import { amountMinor, currencyLower, pointsMoved } from '../../api/schemas/amounts.ts'
import { id, idPath } from '../../api/schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../../api/schemas/lists.ts'
import { metadata, text } from '../../api/schemas/text.ts'
import { type AppOptions, createApp } from '../../api/server/app.ts'
import type { Endpoint } from '../../api/server/declaration.ts'
import { endpointOf, rawEndpointOf } from '../../api/server/endpoint.ts'
import { type ApiKey, callerCache, type FindKey } from '../../api/server/keys.ts'
import type { FoundSession } from '../../api/server/sessions.ts'
import { refuse } from '../../domain/refusal.ts'
import { hashApiKey } from '../../domain/secrets.ts'
import { createLog } from '../../process/log.ts'

// Endpoints that exist only to try the frame out: they echo what it gave them.

type AtWork = { handled: unknown[] }
export const SECRET = 'sk_test_0123456789abcdef'
export const PUBLISHABLE = 'pk_test_0123456789abcdef'
export const EXPIRED = 'sk_test_expired0123456789'
export const REVOKED = 'sk_test_revoked0123456789'
const OPENS_AT = new Date('2020-01-01T00:00:00Z')

const endpoint = endpointOf<AtWork>()
const rawEndpoint = rawEndpointOf<AtWork>()
const Echo = z.object({ id: z.string(), saw: z.unknown() }).meta({ id: 'Echo' })
const echo = { key: 'secret', tags: ['rewards'], reply: Echo, errors: [] } as const

const Thing = z.strictObject({
  account: id('loy'),
  amount: amountMinor.optional(),
  currency: currencyLower.optional(),
  points: pointsMoved.optional(),
  name: text(20).optional(),
  shipping: z.strictObject({ city: z.string(), country: z.string().length(2) }).optional(),
  discounts: z
    .array(z.union([z.strictObject({ redemption: id('rdm') }), z.strictObject({ code: text(40) })]))
    .optional(),
  metadata: metadata.optional(),
})

const createThing = endpoint({
  ...echo,
  method: 'POST',
  path: '/v1/things',
  summary: 'Create a thing',
  body: Thing,
  successCodes: [201, 200],
  handle: async ({ deps, body, operation, fingerprint, idempotencyKey, workspace, livemode }) => {
    deps.handled.push(body)
    const saw = { body, fingerprint, idempotencyKey, workspace, livemode }
    return { status: 'created', replayed: body.name === 'again', object: { id: operation, saw } }
  },
})

const listThings = endpoint({
  ...echo,
  key: 'publishable',
  method: 'GET',
  path: '/v1/things',
  summary: 'List things',
  query: listQuery('ptx', { account: id('loy').optional() }),
  reply: listReply(Echo),
  handle: async ({ query }) => {
    const items = [{ id: 'page', saw: { ...pageOf(query), account: query.account } }]
    return { status: 'ok', object: listOf('/v1/things', items, false) }
  },
})

const updateThing = endpoint({
  ...echo,
  method: 'PATCH',
  path: '/v1/things/{id}',
  summary: 'Update a thing',
  params: idPath('loy'),
  body: z.strictObject({ name: text(20).optional() }),
  handle: async ({ params, body, operation }) => ({
    status: 'ok',
    object: { id: operation, saw: { params, body } },
  }),
})

const mergeThings = endpoint({
  ...echo,
  method: 'POST',
  path: '/v1/things/merge',
  summary: 'Merge things',
  handle: async ({ operation }) => ({ status: 'ok', object: { id: operation, saw: 'merge' } }),
})

/** Throws what `failures` holds under the name in the path. */
const failThing = (failures: Readonly<Record<string, () => unknown>>) =>
  endpoint({
    ...echo,
    method: 'GET',
    path: '/v1/failures/{name}',
    summary: 'Fail',
    params: z.strictObject({ name: z.string() }),
    handle: async ({ params }) => {
      const failure: unknown = failures[params.name]?.()
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- a handler may throw anything
      if (failure !== undefined) return Promise.reject(failure)
      return refuse('resource_missing', 'No such failure.')
    },
  })

const receive = rawEndpoint({
  method: 'POST',
  path: '/v1/webhooks/{provider}',
  summary: 'Receive',
  tags: ['things'],
  params: z.strictObject({ provider: z.string() }),
  reply: Echo,
  errors: ['invalid_signature'],
  handle: async ({ body, header }) => ({
    status: 'ok',
    object: {
      id: 'raw',
      saw: { bytes: body.toString('latin1'), signature: header('x-signature') },
    },
  }),
})

const key = (kind: ApiKey['kind'], more: Partial<ApiKey> = {}): ApiKey => ({
  type: 'api_key',
  id: `key_${kind}`,
  workspace: 'ws_1',
  livemode: false,
  kind,
  name: null,
  scopes: ['*'],
  expiresAt: null,
  revokedAt: null,
  ...more,
})

export const KEYS: ReadonlyMap<string, ApiKey> = new Map([
  [hashApiKey(SECRET), key('secret')],
  [hashApiKey(PUBLISHABLE), key('publishable')],
  [hashApiKey(EXPIRED), key('secret', { expiresAt: OPENS_AT })],
  [hashApiKey(REVOKED), key('secret', { revokedAt: OPENS_AT })],
])

type Setting = Partial<AppOptions<AtWork>> & {
  failures?: Readonly<Record<string, () => unknown>>
  more?: readonly Endpoint<AtWork>[]
  findKey?: FindKey
}

const knownKey: FindKey = async (hash) => KEYS.get(hash)

/** An app over the endpoints above; `lines` collects its log. */
export function appOfThings({
  failures = {},
  more = [],
  findKey = knownKey,
  ...options
}: Setting = {}) {
  const lines: string[] = []
  const seen: AtWork = { handled: [] }
  const app = createApp<AtWork>({
    endpoints: [
      updateThing,
      createThing,
      listThings,
      mergeThings,
      failThing(failures),
      receive,
      ...more,
    ],
    deps: seen,
    keys: callerCache(findKey, options.now),
    sessions: callerCache<FoundSession>(async () => undefined),
    log: createLog({ level: 'debug', name: 'api' }, { write: (line) => lines.push(line) }),
    checks: {},
    registry: new Registry(),
    version: '0.0.0',
    ...options,
  })
  return { app, lines, seen }
}

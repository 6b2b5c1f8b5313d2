import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { ENDPOINTS } from '../../api/server/endpoints.ts'
import { workspaceCommands } from '../../app/workspaces.ts'
import { newId } from '../../domain/ids.ts'
import { ended } from '../support/redeem.ts'
import { person } from './people.ts'
import { openShop, type Shop } from './shop.ts'

let shop: Shop
let stranger: string
let ids: Record<string, string>

beforeAll(async () => {
  shop = await openShop()
  const { createWorkspace } = workspaceCommands({ pool: shop.pool })
  stranger = (await createWorkspace(newId('ws'), 'Another shop', false)).secretKey
  // prog_default is everybody's
  await shop.owner.query(
    `insert into program (workspace, id, name) values ($1, 'prog_ours', 'Ours')`,
    [shop.workspace],
  )
  const attention = newId('att')
  await shop.owner.query(
    `insert into attention (workspace, id, kind, object, key, details, since, last_at)
     values ($1, $2, 'late_payment', 'rdm_ours', 'rdm_ours', '{}', now(), now())`,
    [shop.workspace, attention],
  )
  const support = await person(shop, 'support')
  const approval = await support.send('post', '/v1/loyalty/transactions', {
    account: 'loy_9f2k',
    amount: 5_001,
    reason: 'ours',
  })
  const redemption = await shop.post('/v1/loyalty/redemptions', {
    account: 'loy_9f2k',
    reward: 'rwd_fivecredit',
  })
  const payment = await shop.post('/v1/payments', { amount: 2_999, currency: 'EUR' })
  const card = '4242424242424242'
  const paid = await shop.post('/v1/payments', { amount: 2_999, currency: 'EUR', card })
  const refund = await shop.post('/v1/refunds', { payment: paid.body.id, amount: 100 })
  const rule = await shop.post('/v1/loyalty/earning_rules', { award: { fixed: 1 } })
  const endpoint = await shop.post('/v1/webhook_endpoints', {
    url: 'http://127.0.0.1:9/',
    enabled_events: ['none'],
  })
  const program = await shop.post('/v1/loyalty/programs', { name: 'Ours alone' })
  const identity = await shop.post('/v1/loyalty/accounts/loy_9f2k/identities', { kind: 'device' })
  const imported = await request(shop.app)
    .post('/v1/loyalty/imports?batch=ours')
    .set('X-Api-Key', shop.keys.secretKey)
    .set('Content-Type', 'application/x-ndjson')
    .send('{"account":"loy_9f2k","amount":1}')
  await ended(shop, imported.body.id)
  const reversal = await shop.post('/v1/loyalty/batches/ours/reverse')
  await ended(shop, reversal.body.id)
  const type = await shop.post('/v1/event_types', { name: 'OURS' })
  const reactor = await shop.post('/v1/reactors', {
    name: 'Ours',
    trigger: 'OURS',
    reactions: [{ type: 'adjust_points', points: 1 }],
  })
  const invited = await shop.post('/v1/team_members', {
    email: 'mira@shop.example',
    role: 'viewer',
  })
  const pool = await shop.post('/v1/loyalty/code_pools', { name: 'Ours' })
  const credit = await shop.post('/v1/loyalty/rewards', {
    name: 'Credit',
    type: 'store_credit',
    cost: 1,
    value: { amount: 1_000, currency: 'EUR' },
  })
  await shop.post('/v1/loyalty/redemptions', { account: 'loy_9f2k', reward: credit.body.id })
  const moved = await shop.get('/v1/loyalty/store_credit_transactions')
  ids = {
    attention,
    approvals: approval.body.id,
    event_types: type.body.id,
    reactors: reactor.body.id,
    code_pools: pool.body.id,
    store_credit_transactions: moved.body.data[0].id,
    accounts: 'loy_9f2k',
    rewards: 'rwd_fivecredit',
    redemptions: redemption.body.id,
    transactions: redemption.body.transaction,
    payments: payment.body.id,
    refunds: refund.body.id,
    earning_rules: rule.body.id,
    webhook_endpoints: endpoint.body.id,
    events: (await shop.get('/v1/events?limit=1')).body.data[0].id,
    programs: program.body.id,
    imports: imported.body.id,
    batch_reversals: reversal.body.id,
    identities: identity.body.id,
    users: 'loy_9f2k',
    requests: redemption.headers['request-id'] ?? '',
    api_keys: (await shop.post('/v1/api_keys', { scopes: ['*'] })).body.id,
    team_members: invited.body.id,
    memberships: invited.body.membership,
  }
  await vi.waitFor(async () => {
    expect((await shop.get(`/v1/requests/${ids.requests}`)).status).toBe(200)
  }, 5_000)
})
afterAll(() => shop.close())

/** What a stranger may send to each route that names an object in its path. */
const BODIES: Readonly<Record<string, object>> = {
  'PATCH /v1/loyalty/accounts/{id}': { customer: 'cust_mine' },
  'POST /v1/loyalty/accounts/{id}/close': {},
  'POST /v1/loyalty/accounts/{id}/reopen': {},
  'POST /v1/loyalty/accounts/{id}/export': {},
  'POST /v1/loyalty/accounts/{id}/erase': {},
  'POST /v1/loyalty/accounts/{id}/set_tier': { tier: 'Gold' },
  'PATCH /v1/loyalty/rewards/{id}': { name: 'Mine now', cost: 1 },
  'POST /v1/loyalty/rewards/{id}/archive': {},
  'POST /v1/loyalty/rewards/{id}/unarchive': {},
  'POST /v1/loyalty/code_pools/{id}/codes': { codes: ['MINE-1'] },
  'POST /v1/loyalty/imports/{id}/cancel': {},
  'POST /v1/loyalty/imports/{id}/pause': {},
  'POST /v1/loyalty/imports/{id}/resume': {},
  'POST /v1/loyalty/batch_reversals/{id}/pause': {},
  'POST /v1/loyalty/batch_reversals/{id}/resume': {},
  'PATCH /v1/loyalty/programs/{id}': { name: 'Mine now' },
  'POST /v1/loyalty/transactions/{id}/reverse': {},
  'POST /v1/loyalty/redemptions/{id}/cancel': {},
  'POST /v1/loyalty/redemptions/{id}/extend': { minutes: 60 },
  'POST /v1/loyalty/redemptions/{id}/reverse': { reason: 'mine' },
  'POST /v1/loyalty/redemptions/{id}/fulfill': { tracking: 'mine' },
  'POST /v1/payments/{id}/confirm': { card: '4242424242424242' },
  'POST /v1/payments/{id}/cancel': {},
  'POST /v1/payments/{id}/replay_award': {},
  'PATCH /v1/loyalty/earning_rules/{id}': { name: 'Mine now' },
  'PATCH /v1/webhook_endpoints/{id}': { status: 'disabled' },
  'POST /v1/loyalty/accounts/{id}/identities': { kind: 'device' },
  'DELETE /v1/loyalty/identities/{id}': {},
  'POST /v1/events/{id}/confirm': {},
  'POST /v1/events/{id}/cancel': {},
  'POST /events/{id}/confirm': {},
  'POST /events/{id}/cancel': {},
  'DELETE /v1/webhook_endpoints/{id}': {},
  'POST /v1/webhook_endpoints/{id}/roll_secret': {},
  'POST /v1/webhook_endpoints/{id}/test': {},
  'PATCH /v1/event_types/{id}': { description: 'Mine now' },
  'PATCH /v1/reactors/{id}': { name: 'Mine now' },
  'DELETE /v1/reactors/{id}': {},
  'POST /v1/reactors/{id}/dry_run': { user: 'loy_9f2k' },
  'PATCH /v1/team_members/{id}': { status: 'disabled' },
  'POST /v1/team_members/{id}/invite': {},
  'POST /v1/team_members/{id}/reset_password': {},
  'PATCH /v1/memberships/{id}': { role: 'owner' },
  'DELETE /v1/memberships/{id}': {},
  'PATCH /v1/api_keys/{id}': { name: 'Mine now' },
  'POST /v1/approvals/{id}/approve': {},
  'POST /v1/approvals/{id}/decline': {},
  'POST /v1/approvals/{id}/withdraw': {},
  'POST /v1/attention/{id}/snooze': { until: '2100-01-01T00:00:00Z', reason: 'mine' },
  'POST /v1/attention/{id}/resolve': { reason: 'mine' },
  'POST /v1/api_keys/{id}/roll': {},
  'POST /v1/api_keys/{id}/revoke': {},
  'POST /v1/webhook_endpoints/{id}/replay': { created: { gte: '2020-01-01T00:00:00Z' } },
}

const nameOf = ({ method, path }: { method: string; path: string }) => `${method} ${path}`
const withId = ENDPOINTS.filter(
  ({ path, raw, key }) => path.includes('{id}') && !raw && key !== 'session',
)
const lists = ENDPOINTS.filter(
  (e) =>
    e.key !== 'session' &&
    e.method === 'GET' &&
    !e.path.includes('{id}') &&
    !e.path.endsWith('/settings') && // theirs are in till/
    !e.path.endsWith('/search'), // its own are in search.test.ts
)

function idFor(path: string): string {
  const all: Record<string, string> = { ...ids, programs: 'prog_ours' }
  const noun = path.split('/').find((segment) => Object.hasOwn(all, segment))
  const id = noun === undefined ? undefined : all[noun]
  if (id === undefined) throw new Error(`no object for ${path}`)
  return id
}

function send(endpoint: { method: string; path: string }, key: string) {
  const at = endpoint.path.endsWith('balance_at')
    ? '?at=2026-01-01'
    : endpoint.path.endsWith('liability/export')
      ? '?from=2026-01-01&to=2026-02-01'
      : endpoint.path.endsWith('conversion')
        ? '?points=1'
        : ''
  const path = endpoint.path.replace('{id}', idFor(endpoint.path)) + at
  if (endpoint.method === 'GET') return shop.get(path, key)
  const body = BODIES[nameOf(endpoint)]
  if (body === undefined) throw new Error(`no body for ${nameOf(endpoint)}`)
  if (endpoint.method === 'DELETE') return shop.delete(path, key)
  return endpoint.method === 'PATCH'
    ? shop.patch(path, body).set('X-Api-Key', key)
    : shop.post(path, body, { key })
}

const ROOTED = new Set([
  'payments',
  'refunds',
  'events',
  'webhook_endpoints',
  'event_types',
  'reactors',
  'requests',
  'api_keys',
  'team_members',
  'memberships',
  'attention',
  'approvals',
])

const readAll = () =>
  Promise.all(
    Object.entries(ids).map(async ([noun, id]) => {
      const at = ROOTED.has(noun) ? `/v1/${noun}/${id}` : `/v1/loyalty/${noun}/${id}`
      if (noun === 'users') return (await shop.get(`/users/${id}/wallet`)).body
      return (await shop.get(at)).body
    }),
  )

describe('another workspace’s key', () => {
  it.each(withId.map(nameOf))('gets 404 and changes nothing by %s', async (name) => {
    const endpoint = withId.find((one) => nameOf(one) === name)
    if (endpoint === undefined) throw new Error(name)
    const before = await readAll()
    const { status, body } = await send(endpoint, stranger)
    expect([status, body.error.code]).toEqual([404, 'resource_missing'])
    expect(await readAll()).toEqual(before)
    for (const object of before) expect(object.id ?? object.user).toBeDefined()
  })

  it.each(lists.map(nameOf))('sees nothing of ours by %s', async (name) => {
    const path = name.replace('GET ', '')
    const own = await shop.get(path)
    const { status, body } = await shop.get(path, stranger)
    const { rows } = await shop.owner.query(
      'select id from request where workspace <> $1 union all select id from api_key where workspace <> $1 union all select $2',
      [shop.workspace, 'prog_default'], // each has one, a log and keys of its own
    )
    const theirs = new Set(rows.map(({ id }) => id))
    const seen = body.data.filter(({ id }: { id: string }) => !theirs.has(id))
    expect([status, seen]).toEqual([200, []])
    expect(own.body.data.length).toBeGreaterThan(0)
  })

  it.each([
    ['/v1/loyalty/redemptions', { account: 'loy_9f2k', reward: 'rwd_fivecredit' }, 'account'],
    ['/v1/loyalty/quotes', { account: 'loy_9f2k', reward: 'rwd_fivecredit' }, 'account'],
    [
      '/v1/loyalty/earning_previews',
      { account: 'loy_9f2k', amount: 100, currency: 'eur' },
      'account',
    ],
    ['/v1/loyalty/transactions', { account: 'loy_9f2k', amount: 5, reason: 'mine' }, 'account'],
    ['/v1/events', { type: 'OURS', user: 'loy_9f2k' }, 'type'],
    ['/v1/loyalty/accounts/merge', { source: 'loy_9f2k', target: 'loy_8sd2k1' }, 'source'],
  ])('cannot name our objects in a body to %s', async (path, body, param) => {
    const before = await readAll()
    const answer = await shop.post(path, body, { key: stranger })
    expect([answer.status, answer.body.error.code, answer.body.error.param]).toEqual([
      404,
      'resource_missing',
      param,
    ])
    expect(await readAll()).toEqual(before)
  })

  it('cannot take our redemption on its payment, by id or by code', async () => {
    const redemption = await shop.get(`/v1/loyalty/redemptions/${ids.redemptions}`)
    const named = [
      { redemptions: [redemption.body.id] },
      { discounts: [{ redemption: redemption.body.id }] },
      { discounts: [{ code: redemption.body.discount.code }] },
    ]
    for (const body of named) {
      const answer = await shop.post(
        '/v1/payments',
        { amount: 2_999, currency: 'EUR', ...body },
        { key: stranger },
      )
      expect([answer.status, answer.body.error.code, answer.body.error.param]).toEqual([
        404,
        'resource_missing',
        Object.keys(body)[0],
      ])
    }
    expect((await shop.get('/v1/payments', stranger)).body.data).toEqual([])
  })

  it('can use the same Idempotency-Key for something of its own', async () => {
    const ours = await shop.post('/v1/loyalty/accounts', {}, { idempotencyKey: 'shared' })
    const theirs = await shop.post(
      '/v1/loyalty/accounts',
      {},
      { key: stranger, idempotencyKey: 'shared' },
    )
    expect([ours.status, theirs.status]).toEqual([201, 201])
    expect(theirs.body.id).not.toBe(ours.body.id)
  })
})

describe('a publishable key', () => {
  const open = ENDPOINTS.filter(({ key }) => key === 'publishable').map(nameOf)
  const closed = ENDPOINTS.filter(({ key }) => key === 'secret').map(nameOf)

  it('opens the catalogue and quotes, and nothing else', () => {
    expect(open.sort()).toEqual([
      'GET /v1/loyalty/rewards',
      'GET /v1/loyalty/rewards/{id}',
      'POST /v1/loyalty/quotes',
    ])
  })

  it.each(closed)('is 403 key_not_allowed at %s', async (name) => {
    const [method = '', template = ''] = name.split(' ')
    const path = template.replace('{id}', template.includes('{id}') ? idFor(template) : '')
    const key = shop.keys.publishableKey
    const answer = await (method === 'GET'
      ? shop.get(path, key)
      : method === 'DELETE'
        ? shop.delete(path, key)
        : method === 'PUT'
          ? shop.put(path, {}, key)
          : method === 'PATCH'
            ? shop.patch(path, {}).set('X-Api-Key', key)
            : shop.post(path, {}, { key }))
    expect([answer.status, answer.body.error.code]).toEqual([403, 'key_not_allowed'])
  })
})

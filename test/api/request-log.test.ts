import request from 'supertest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openShop, type Shop } from './shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ worker: false })
})
afterAll(() => shop.close())

/** Rows of these answers, once they are written. */
async function written(...answers: { headers: Record<string, string> }[]) {
  const ids = answers.map(({ headers }) => headers['request-id'])
  const rows = async () =>
    (await Promise.all(ids.map((id) => shop.get(`/v1/requests/${id}`)))).map(({ body }) => body)
  await expect
    .poll(async () => (await rows()).every(({ object }) => object === 'request'))
    .toBe(true)
  return rows()
}

/** Nothing that was asked before this is still on its way. */
const flushed = async () => written(await shop.get('/v1/settings'))

const list = async (query: object) => (await shop.get('/v1/requests').query(query)).body.data

test('a create is found by its Request-Id, with what was asked and what became of it', async () => {
  const body = { account: 'loy_9f2k', reward: 'rwd_5eur_off', metadata: { cart: 'Mira' } }
  const first = await shop.post('/v1/loyalty/redemptions', body, { idempotencyKey: 'cart-1' })
  const again = await shop.post('/v1/loyalty/redemptions', body, { idempotencyKey: 'cart-1' })
  const [created, replayed] = await written(first, again)
  expect(created).toEqual({
    id: first.headers['request-id'],
    object: 'request',
    created_at: expect.any(String),
    livemode: false,
    method: 'POST',
    route: '/v1/loyalty/redemptions',
    resource: first.body.id,
    status: 201,
    error_code: null,
    error_param: null,
    key: expect.stringMatching(/^key_/),
    has_idempotency_key: true,
    replayed: false,
    duration_ms: expect.any(Number),
    body: { account: 'loy_9f2k', reward: 'rwd_5eur_off' },
  })
  expect(replayed).toMatchObject({ resource: first.body.id, status: 200, replayed: true })
  expect(Math.abs(Date.parse(created.created_at) - Date.now())).toBeLessThan(60_000)
})

test('a refusal has its code and the field that it is about', async () => {
  const missing = await shop.post('/v1/loyalty/transactions', { account: 'loy_9f2k', amount: 1 })
  const unknown = await shop.post('/v1/loyalty/accounts', { 'Mira Olsen': 1 })
  const nobody = await shop.get('/v1/loyalty/accounts/loy_none')
  const [one, other, none] = await written(missing, unknown, nobody)
  expect(one).toMatchObject({
    status: 400,
    error_code: 'parameter_missing',
    error_param: 'reason',
    has_idempotency_key: false,
    body: { account: 'loy_9f2k', amount: 1 },
  })
  expect(other).toMatchObject({ error_code: 'parameter_unknown', error_param: null, body: {} })
  expect(none).toMatchObject({
    method: 'GET',
    route: '/v1/loyalty/accounts/{id}',
    resource: 'loy_none',
    status: 404,
    error_code: 'resource_missing',
    body: null,
  })
})

test('a key that may not do this is told so, and its workspace sees that it asked', async () => {
  const refused = await shop.post('/v1/loyalty/accounts', {}, { key: shop.keys.publishableKey })
  const [row] = await written(refused)
  expect(row).toMatchObject({ status: 403, error_code: 'key_not_allowed', resource: null })
})

test('requests are listed by route, method, status, error code, key, object and time', async () => {
  const { body: account } = await shop.post('/v1/loyalty/accounts')
  const path = `/v1/loyalty/accounts/${account.id}`
  await shop.get(path)
  await shop.post(`${path}/close`)
  await shop.post('/v1/loyalty/transactions', { account: account.id, amount: 1, reason: 'x' })
  await flushed()

  const routes = (rows: { method: string; route: string }[]) =>
    rows.map(({ method, route }) => `${method} ${route}`)
  expect(routes(await list({ object: account.id }))).toEqual([
    'POST /v1/loyalty/accounts/{id}/close',
    'GET /v1/loyalty/accounts/{id}',
    'POST /v1/loyalty/accounts',
  ])
  expect(routes(await list({ object: account.id, method: 'GET' }))).toHaveLength(1)
  const [closed] = await list({ error_code: 'account_closed' })
  expect(closed).toMatchObject({ status: 422, route: '/v1/loyalty/transactions' })
  expect((await list({ status: 422 }))[0]).toEqual(closed)
  expect((await list({ route: '/v1/loyalty/accounts/{id}/close' }))[0].resource).toBe(account.id)
  expect(await list({ key: closed.key, status: 422 })).toHaveLength(1)
  expect(await list({ key: 'key_none' })).toEqual([])
  const since = Math.floor(Date.now() / 1_000)
  expect(await list({ 'created[gte]': since - 600, error_code: 'account_closed' })).toHaveLength(1)
  expect(await list({ 'created[lt]': since - 600 })).toEqual([])
  const today = new Date().toISOString().slice(0, 10)
  expect(await list({ 'created[gte]': today, 'created[lte]': today, status: 422 })).toHaveLength(1)

  const [newest, next] = await list({ limit: 2 })
  expect(await list({ limit: 1, starting_after: newest.id })).toEqual([next])
  expect((await shop.get('/v1/requests?status=9').then(({ body }) => body)).error.param).toBe(
    'status',
  )
})

test('a list that takes long is given up, and says how to ask for less', async () => {
  const holder = await shop.owner.connect()
  await holder.query('begin')
  await holder.query('lock table request in access exclusive mode')
  const { status, body } = await shop.get('/v1/requests?route=/v1/rare')
  await holder.query('rollback')
  holder.release()
  expect([status, body.error.code]).toEqual([503, 'temporarily_unavailable'])
  expect(body.error.message).toContain('`created`')
  expect(await list({ route: '/v1/rare' })).toEqual([])
})

test('requests that no workspace made are not written down', async () => {
  const before = await shop.owner.query('select count(*)::int as n from request')
  const wrong = await request(shop.app).get('/v1/events').set('X-Api-Key', 'sk_test_nobodys00')
  const none = await request(shop.app).post('/v1/loyalty/accounts').send({})
  const lost = await shop.get('/v1/nothing')
  const provider = await shop.webhook({ id: 'x' }, { secret: 'whsec_other' })
  expect([wrong, none, lost, provider].map(({ status }) => status)).toEqual([401, 401, 404, 400])
  const kept = (await flushed()).length
  await expect
    .poll(async () => (await shop.owner.query('select count(*)::int as n from request')).rows[0].n)
    .toBeGreaterThan(before.rows[0].n)
  const ids = [wrong, none, lost, provider].map(({ headers }) => headers['request-id'])
  const { rows } = await shop.owner.query('select id from request where id = any ($1)', [ids])
  expect([kept, rows]).toEqual([1, []])
})

test('no secret, code, address, phone, card, note or customer is in any row', async () => {
  await shop.post('/v1/loyalty/accounts', { customer: 'mira@example.no', metadata: { a: 'Mira' } })
  await shop.post('/v1/loyalty/transactions', {
    account: 'loy_9f2k',
    amount: 1,
    reason: 'Mira is ill',
  })
  await shop.post('/v1/loyalty/redemptions', {
    account: 'loy_9f2k',
    reward: 'rwd_totebag',
    shipping: {
      name: 'Mira',
      line1: 'Storgata 12',
      city: 'Oslo',
      postalCode: '0155',
      country: 'NO',
    },
  })
  await shop.post('/v1/payments', {
    amount: 100,
    currency: 'EUR',
    card: '4242424242424242',
    customer: 'mira@example.no',
    discounts: [{ code: 'VINR-AAAA-BBBB' }],
  })
  await shop.post('/v1/members/lookup', { phone: '+4790000000' })
  await shop.get('/v1/users/mira@example.no/wallet')
  await shop.put('/v1/settings', { greeting: 'Mira' })
  await shop.post('/v1/webhook_endpoints', { url: 'http://mira:pw@127.0.0.1:9/?token=Mira' })
  await shop.post('/v1/loyalty/accounts', { [shop.keys.secretKey]: 1 })
  await flushed()
  const { rows } = await shop.owner.query('select to_jsonb(r)::text as text from request r')
  const text = rows.map((row) => row.text).join('\n')
  expect(rows.length).toBeGreaterThan(8)
  expect(text).not.toMatch(/mira|storgata|4242|AAAA-BBBB|90000000|whsec_\w/i)
  expect(text).not.toContain(shop.keys.secretKey)
})

test('where it is kept for no days nothing is written down, and all else is as ever', async () => {
  const without = await openShop({ worker: false, requestLog: false })
  const made = await without.post('/v1/loyalty/accounts')
  expect([made.status, made.headers['request-id']]).toEqual([201, expect.stringMatching(/^req_/)])
  expect((await without.get(`/v1/requests/${made.headers['request-id']}`)).status).toBe(404)
  expect((await without.get('/v1/requests')).body.data).toEqual([])
  await without.close()
})

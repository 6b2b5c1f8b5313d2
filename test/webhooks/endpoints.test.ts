import { afterAll, beforeAll, expect, test } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop
const URL = 'http://127.0.0.1:9/hook'

beforeAll(async () => {
  shop = await openShop({ worker: false })
})
afterAll(() => shop.close())

test.each([
  ['url', {}],
  ['url', { url: 'ftp://example.com/' }],
  ['url', { url: 'not a url' }],
  ['url', { url: 'https://user:secret@example.com/' }],
  ['url', { url: 'http://10.0.0.1/' }],
  ['url', { url: 'http://169.254.169.254/latest/meta-data' }],
  ['url', { url: 'http://[::1]:8080/' }],
  ['url', { url: 'http://0x7f000002/' }],
  ['enabled_events.0', { url: URL, enabled_events: ['**'] }],
  ['enabled_events', { url: URL, enabled_events: [] }],
  ['extra', { url: URL, extra: 1 }],
])('is refused by %s for %j', async (param, body) => {
  const { status, body: answer } = await shop.post('/v1/webhook_endpoints', body)
  expect([status, answer.error.param]).toEqual([400, param])
})

test('the secret is shown at creation, to its repeat, and nowhere else', async () => {
  const key = { idempotencyKey: 'endpoint-1' }
  const made = await shop.post('/v1/webhook_endpoints', { url: URL, description: 'shop' }, key)
  const repeat = await shop.post('/v1/webhook_endpoints', { url: URL, description: 'shop' }, key)
  expect(made.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect([made.status, repeat.status, repeat.headers['idempotent-replayed']]).toEqual([
    201,
    200,
    'true',
  ])
  expect(repeat.body).toEqual(made.body)
  const { secret, ...shown } = made.body
  expect((await shop.get(`/v1/webhook_endpoints/${made.body.id}`)).body).toEqual(shown)
  const list = await shop.get('/v1/webhook_endpoints')
  expect(list.body.data).toEqual([shown])
  const changed = await shop.patch(`/v1/webhook_endpoints/${made.body.id}`, {
    enabled_events: ['payment.*'],
    description: null,
  })
  expect(changed.body).toEqual({ ...shown, enabled_events: ['payment.*'], description: null })
  for (const { text } of [list, changed]) expect(text).not.toContain(secret)
})

test('a repeated roll returns the first one’s secret, and does not roll again', async () => {
  const { body } = await shop.post('/v1/webhook_endpoints', { url: URL })
  const path = `/v1/webhook_endpoints/${body.id}/roll_secret`
  const first = await shop.post(path, {}, { idempotencyKey: 'roll-1' })
  const again = await shop.post(path, {}, { idempotencyKey: 'roll-1' })
  expect(first.body.secret).not.toBe(body.secret)
  expect(again.body.secret).toBe(first.body.secret)
})

test('a deleted endpoint is gone for reads, changes and events', async () => {
  const { body } = await shop.post('/v1/webhook_endpoints', { url: URL })
  const path = `/v1/webhook_endpoints/${body.id}`
  expect((await shop.delete(path)).body).toEqual({
    id: body.id,
    object: 'webhook_endpoint',
    deleted: true,
  })
  const answers = await Promise.all([
    shop.get(path),
    shop.delete(path),
    shop.patch(path, { status: 'enabled' }),
    shop.post(`${path}/roll_secret`, {}),
    shop.post(`${path}/test`, {}),
    shop.post(`${path}/replay`, { created: { gte: '2020-01-01T00:00:00Z' } }),
    shop.get(`${path}/deliveries`),
  ])
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404, 404, 404])
  await shop.post('/v1/loyalty/accounts', {})
  const { rows } = await shop.owner.query(
    `select count(*)::int as n from webhook_delivery where endpoint = $1`,
    [body.id],
  )
  expect(rows[0].n).toBe(0)
})

test('the window of a replay is given in unix seconds, as a number or as text, or in ISO 8601', async () => {
  const { body } = await shop.post('/v1/webhook_endpoints', { url: URL })
  const path = `/v1/webhook_endpoints/${body.id}/replay`
  for (const gte of [1717113600, '1717113600', '2024-05-31', '2024-05-31T00:00:00Z']) {
    const lt = typeof gte === 'number' ? gte + 60 : undefined
    const { status, body: replayed } = await shop.post(path, { created: { gte, lt } })
    expect([gte, status, replayed.object]).toEqual([gte, 202, 'webhook_replay'])
  }
  for (const gte of [1717113600.5, -1, true, 'yesterday']) {
    const { status, body: refused } = await shop.post(path, { created: { gte } })
    expect([gte, status, refused.error.param]).toEqual([gte, 400, 'created.gte'])
  }
})

test('a replay names exactly one of its ways, and events that are there', async () => {
  const { body } = await shop.post('/v1/webhook_endpoints', { url: URL })
  const path = `/v1/webhook_endpoints/${body.id}/replay`
  const both = await shop.post(path, { event: 'evt_1', created: { gte: '2020-01-01T00:00:00Z' } })
  const none = await shop.post(path, {})
  const unknown = await shop.post(path, { event: 'evt_1' })
  expect([both.status, none.status, unknown.status]).toEqual([400, 400, 404])
  expect(unknown.body.error.param).toBe('event')
})

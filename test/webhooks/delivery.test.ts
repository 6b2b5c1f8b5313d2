import { createHmac } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'
import { type Answer, openReceiver, type ReceivedRequest, type Receiver } from './receiver.ts'

let shop: Shop
let receivers: Receiver[] = []
let endpoints: string[] = []

beforeAll(async () => {
  shop = await openShop()
})
afterAll(async () => {
  const broken = await shop.reconcile()
  await shop.close()
  expect(broken).toEqual([])
})
afterEach(async () => {
  for (const id of endpoints) await shop.delete(`/v1/webhook_endpoints/${id}`)
  await Promise.all(receivers.map((receiver) => receiver.close()))
  receivers = []
  endpoints = []
})

async function listen(
  body: object = {},
  answer?: (received: ReceivedRequest, count: number) => Answer,
) {
  const receiver = await openReceiver(answer)
  receivers.push(receiver)
  const made = await shop.post('/v1/webhook_endpoints', { url: receiver.url, ...body })
  expect(made.status).toBe(201)
  endpoints.push(made.body.id)
  return { receiver, id: made.body.id as string, secret: made.body.secret as string }
}

const DETAILS = '__temporal_workflow_metadata'

const spend = () =>
  shop.post('/v1/loyalty/redemptions', { account: 'loy_8sd2k1', reward: 'rwd_fivecredit' })
const deliveries = async (id: string, query = '') =>
  (await shop.get(`/v1/webhook_endpoints/${id}/deliveries?${query}`)).body.data
const health = async (id: string) => (await shop.get(`/v1/webhook_endpoints/${id}`)).body
const settled = (id: string, status: string) =>
  expect.poll(async () => (await deliveries(id))[0]?.status, { timeout: 20_000 }).toBe(status)
const makeDue = (id: string) =>
  shop.owner.query(
    `update webhook_delivery set next_attempt_at = now() where endpoint = $1 and status = 'pending'`,
    [id],
  )
const commit = async () => shop.post('/v1/loyalty/accounts', {}) // any commit of the workspace

test('what happens is sent as GET /v1/events shows it, signed by both schemes, and settled', async () => {
  const { receiver, id, secret } = await listen({ enabled_events: ['loyalty.redemption.*'] })
  const made = await spend()
  await receiver.until(1)
  const [{ headers, body }] = receiver.received as [ReceivedRequest]
  const event = JSON.parse(body)
  expect(event).toMatchObject({ type: 'loyalty.redemption.created', data: made.body })
  expect(event).toEqual((await shop.get(`/v1/events/${event.id}`)).body)

  expect(headers['webhook-id']).toBe(event.id)
  const verified = new Webhook(secret).verify(body, headers as Record<string, string>)
  expect(verified).toEqual(event)
  const at = headers['x-vinr-timestamp']
  const digest = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')
  expect(headers['x-vinr-signature']).toBe(`t=${at},v1=${digest}`)

  await settled(id, 'succeeded')
  expect((await deliveries(id))[0]).toMatchObject({
    event: event.id,
    attempt: 1,
    next_attempt_at: null,
    response_status: 200,
    attempts: [{ response_status: 200, response_body: 'ok', url: receiver.url }],
  })
  expect((await health(id)).health.last_success_at).not.toBeNull()
})

test('an endpoint gets what it asked for, and what the worker brings about as well', async () => {
  const all = await listen()
  const some = await listen({ enabled_events: ['loyalty.redemption.applied'] })
  const made = await spend()
  await shop.post('/v1/payments', {
    amount: 2_999,
    currency: 'EUR',
    redemptions: [made.body.id],
    card: '4242424242424242',
  })
  await some.receiver.until(1)
  await all.receiver.until(1, ({ type }) => type === 'loyalty.redemption.applied')
  await all.receiver.until(1, ({ type }) => type === 'payment.completed')
  expect(some.receiver.events().map(({ type }) => type)).toEqual(['loyalty.redemption.applied'])
  const types = all.receiver.events().map(({ type }) => type)
  expect(new Set(types)).toEqual(
    new Set([
      'loyalty.points.spent',
      'loyalty.redemption.created',
      'payment.completed',
      'loyalty.redemption.applied',
    ]),
  )
})

test('a refused redemption sends nothing', async () => {
  const { receiver } = await listen()
  await shop.post('/v1/loyalty/redemptions', { account: 'loy_8sd2k1', reward: 'rwd_none' })
  await shop.post('/v1/loyalty/transactions', {
    account: 'loy_8sd2k1',
    amount: -1_000_000,
    reason: 'too much',
  })
  await shop.post('/v1/loyalty/transactions', { account: 'loy_8sd2k1', amount: 1, reason: 'last' })
  await receiver.until(1)
  expect(receiver.events()).toMatchObject([{ type: 'loyalty.points.earned' }])
})

test('a failure is tried again after a minute or what Retry-After asks, then succeeds', async () => {
  const { receiver, id } = await listen(
    { enabled_events: ['loyalty.redemption.created'] },
    (_, n) =>
      n === 1
        ? { status: 503, body: 'x'.repeat(5_000) }
        : n === 2
          ? { status: 429, headers: { 'retry-after': '3600' } }
          : {},
  )
  await spend()
  await expect.poll(async () => (await deliveries(id))[0]?.attempt).toBe(1)
  const [first] = await deliveries(id)
  const waitMs = Date.parse(first.next_attempt_at) - Date.parse(first.attempts[0].at)
  expect(first).toMatchObject({ status: 'pending', response_status: 503 })
  expect(first.attempts[0].response_body).toHaveLength(2_048)
  expect(waitMs).toBeGreaterThanOrEqual(60_000)
  expect(waitMs).toBeLessThan(70_000)
  expect((await health(id)).health.failing_since).not.toBeNull()

  await makeDue(id)
  await commit()
  await receiver.until(2)
  await expect.poll(async () => (await deliveries(id))[0]?.attempt).toBe(2)
  const [second] = await deliveries(id)
  expect(Date.parse(second.next_attempt_at) - Date.now()).toBeGreaterThan(3_500_000)

  await makeDue(id)
  await commit()
  await settled(id, 'succeeded')
  expect(new Set(receiver.events().map((event) => event.id)).size).toBe(1)
  expect((await health(id)).health.failing_since).toBeNull()
})

test('410 disables the endpoint, says so by an event, and nothing more is sent', async () => {
  const other = await listen({ enabled_events: ['webhook_endpoint.*'] })
  const { receiver, id } = await listen({ enabled_events: ['loyalty.redemption.created'] }, () => ({
    status: 410,
  }))
  await spend()
  await receiver.until(1)
  await other.receiver.until(1)
  expect(other.receiver.events()[0]).toMatchObject({
    type: 'webhook_endpoint.disabled',
    data: { id, status: 'disabled', disabled_reason: 'gone' },
  })
  expect(other.receiver.received[0]?.body).not.toContain('whsec_')
  await spend()
  expect(await deliveries(id)).toHaveLength(1)
  expect((await deliveries(id))[0]).toMatchObject({ status: 'failed', response_status: 410 })
})

test('days of failure disable it; enabled again and replayed, what was missed arrives', async () => {
  let dead = true
  const { receiver, id } = await listen({ enabled_events: ['loyalty.redemption.created'] }, () => ({
    status: dead ? 500 : 200,
  }))
  const from = new Date().toISOString()
  const first = await spend()
  await expect.poll(async () => (await deliveries(id))[0]?.attempt).toBe(1)
  await shop.owner.query(
    `update webhook_endpoint set failing_since = now() - interval '73 hours' where id = $1`,
    [id],
  )
  await makeDue(id)
  await commit()
  await expect.poll(async () => (await health(id)).disabled_reason).toBe('failing')
  const missed = await spend()
  expect(await deliveries(id)).toHaveLength(1)
  dead = false
  expect(
    (await shop.post(`/v1/webhook_endpoints/${id}/replay`, { created: { gte: from } })).status,
  ).toBe(400)
  await shop.patch(`/v1/webhook_endpoints/${id}`, { status: 'enabled' })
  const key = { idempotencyKey: 'once' }
  const ask = { created: { gte: from } }
  const replay = await shop.post(`/v1/webhook_endpoints/${id}/replay`, ask, key)
  const again = await shop.post(`/v1/webhook_endpoints/${id}/replay`, ask, key)
  expect([replay.status, replay.body.deliveries]).toEqual([202, 2])
  expect(again.body.deliveries).toBe(2)
  await receiver.until(4)
  await expect.poll(async () => (await deliveries(id, 'status=succeeded')).length).toBe(2)
  const arrived = receiver
    .events()
    .slice(2)
    .map(({ data }) => data.id)
  expect(new Set(arrived)).toEqual(new Set([first.body.id, missed.body.id]))
})

test('a rolled secret signs beside the old one until the overlap is over', async () => {
  const { receiver, id, secret } = await listen({ enabled_events: ['none.of.these'] })
  const rolled = await shop.post(`/v1/webhook_endpoints/${id}/roll_secret`, {})
  expect(rolled.body.secret).not.toBe(secret)
  const sent = await shop.post(`/v1/webhook_endpoints/${id}/test`, {})
  expect(sent.body).toMatchObject({ type: 'webhook_endpoint.test', data: { id } })
  await receiver.until(1)
  const [{ headers, body }] = receiver.received as [ReceivedRequest]
  for (const one of [secret, rolled.body.secret]) {
    new Webhook(one).verify(body, headers as Record<string, string>)
    const at = headers['x-vinr-timestamp']
    expect(headers['x-vinr-signature']).toContain(
      createHmac('sha256', one).update(`${at}.${body}`).digest('hex'),
    )
  }
  const third = await shop.post(`/v1/webhook_endpoints/${id}/roll_secret`, { overlap_hours: 0 })
  await shop.post(`/v1/webhook_endpoints/${id}/test`, {})
  await receiver.until(2)
  const last = receiver.received[1] as ReceivedRequest
  expect(last.headers['x-vinr-signature']?.toString().split('v1=')).toHaveLength(2)
  new Webhook(third.body.secret).verify(last.body, last.headers as Record<string, string>)
})

test('a dead endpoint never delays another', async () => {
  const dead = await listen({}, () => ({ hang: true }))
  const live = await listen({ enabled_events: ['loyalty.points.earned'] })
  for (let n = 0; n < 30; n++) {
    await shop.post('/v1/loyalty/transactions', { account: 'loy_abc123', amount: 1, reason: 'x' })
  }
  const doneMs = Date.now()
  await live.receiver.until(30)
  expect(Date.now() - doneMs).toBeLessThan(2_000)
  expect(dead.receiver.received.length).toBeGreaterThan(0)
})

test('with everything delivered the run rests until the next event, which is signalled', async () => {
  const { receiver, id } = await listen({ enabled_events: ['loyalty.redemption.*'] })
  await spend()
  await receiver.until(1)
  const run = shop.engine.client.workflow.getHandle(id)
  const story = async () => (await run.query<{ currentDetails?: string }>(DETAILS)).currentDetails
  const works = async () => (await run.describe()).raw.pendingActivities?.length
  const rests = { timeout: 30_000 } // a round looks out for more before it hands back
  await settled(id, 'succeeded')
  // the story first: between two rounds there is no activity either
  await expect
    .poll(async () => [await story(), await works()], rests)
    .toEqual(['Everything is delivered. Waits for the next event.', 0])
  const { historyLength } = await run.describe()
  await spend()
  await receiver.until(2)
  await settled(id, 'succeeded')
  const { historyLength: later } = await run.describe()
  expect(later).toBeGreaterThan(historyLength)
})

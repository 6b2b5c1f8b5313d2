import { afterAll, beforeAll, expect, test } from 'vitest'
import { Processes } from '../support/processes.ts'
import { openReceiver, type Receiver } from '../webhooks/receiver.ts'

// WEBHOOK_EVENTS=100000 is the full measure, and takes as long as it takes.
const EVENTS = Number(process.env.WEBHOOK_EVENTS ?? 5_000)
const KILLS = 10

let all: Processes
let receiver: Receiver

beforeAll(async () => {
  process.env.WEBHOOK_ALLOWED_ADDRESSES = '127.0.0.1'
  all = await Processes.start()
  receiver = await openReceiver()
})
afterAll(async () => {
  await receiver.close()
  await all.stop()
})

test(`${EVENTS} events, the worker killed ${KILLS} times: each is delivered at least once, none is lost`, async () => {
  const made = await all.request('POST', '/v1/webhook_endpoints', {
    url: receiver.url,
    enabled_events: ['loyalty.points.earned'],
  })
  expect(made.status).toBe(201)
  await all.owner.query(
    `select points_post($1, 'loy_abc123', 'adjust', 1, 'many', 'many:' || n, '', now(), null, null, null, '{}', false)
     from generate_series(1, $2::int) n`,
    [all.workspace, EVENTS],
  )
  // Any commit of the API's wakes the endpoint.
  await all.request('POST', '/v1/loyalty/accounts', {})
  for (let kill = 1; kill <= KILLS; kill++) {
    await receiver.until(Math.floor((EVENTS * kill) / (KILLS + 1)))
    await all.kill('worker')
    await all.startWorker()
  }
  await expect
    .poll(async () => (await pending()).length, { timeout: 300_000, interval: 1_000 })
    .toBe(0)
  const written = await all.owner.query<{ id: string }>(
    `select id from event where workspace = $1 and type = 'loyalty.points.earned'
     and object in (select id from ptx where reason = 'many')`,
    [all.workspace],
  )
  const arrived = new Set(receiver.received.map(({ headers }) => headers['webhook-id']))
  expect(written.rows).toHaveLength(EVENTS)
  expect(written.rows.filter(({ id }) => !arrived.has(id))).toEqual([])
  console.log(`${receiver.received.length - arrived.size} of ${EVENTS} came more than once`)
})

const pending = async () =>
  (await all.owner.query(`select id from webhook_delivery where status = 'pending' limit 1`)).rows

import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'
import { openReceiver, type Receiver } from './receiver.ts'

/** What reconcile.sql says of events and deliveries; each rule is shown a breach that it must name. */

let shop: Shop
let receiver: Receiver
let endpoint: string

beforeAll(async () => {
  shop = await openShop()
  receiver = await openReceiver()
  endpoint = (await shop.post('/v1/webhook_endpoints', { url: receiver.url })).body.id
  // The rule leaves out ten seconds after a subscription's begin. Nothing has happened before this one.
  await shop.owner.query(
    `update webhook_endpoint set subscribed_since = subscribed_since - interval '10 s'`,
  )
})
afterAll(async () => {
  await receiver.close()
  await shop.close()
})

test('the books hold once all that a redemption brought is delivered', async () => {
  const made = await shop.post('/v1/loyalty/redemptions', {
    account: 'loy_8sd2k1',
    reward: 'rwd_fivecredit',
  })
  await shop.post(`/v1/loyalty/redemptions/${made.body.id}/cancel`, {})
  await receiver.until(4) // created, spent, released, reversed
  await settled()
  expect(await shop.reconcile()).toEqual([])
})

const settled = () =>
  expect
    .poll(async () => {
      const { rows } = await shop.owner.query(
        `select count(*)::int as n from webhook_delivery where status = 'pending'`,
      )
      return rows[0].n
    })
    .toBe(0)

const BREACHES: [rule: string, breach: string][] = [
  [
    "every ptx but a merge's has its event",
    `delete from event where id = (select min(id) from event where type = 'loyalty.points.earned')`,
  ],
  [
    "every ptx but a merge's has its event",
    `update event set type = 'loyalty.points.earned' where type = 'loyalty.points.spent'`,
  ],
  [
    "an event without data is a ptx's",
    `update event set object = 'ptx_none' where type = 'loyalty.points.spent'`,
  ],
  [
    'a redemption has the events of what became of it',
    `delete from event where type = 'loyalty.redemption.released'`,
  ],
  [
    'a redemption has the events of what became of it',
    `insert into event select (e).* from (
       select jsonb_populate_record(e, '{"id": "evt_twice"}') as e from event e
       where e.type = 'loyalty.redemption.created') twice`,
  ],
  [
    "every change of tier but enrolment's has its event",
    `insert into tier_change (workspace, id, account, to_tier, reason, created_at)
     select workspace, 'tch_1', id, 'gold', 'qualified', now() from account where id = 'loy_9f2k'`,
  ],
  [
    'a delivery is of an event, to an endpoint',
    `update webhook_delivery set endpoint = 'we_none' where id = (select min(id) from webhook_delivery)`,
  ],
  [
    'an event is delivered to an endpoint once, but for replays',
    `update webhook_delivery set event = (select min(event) from webhook_delivery)`,
  ],
  [
    "a delivery's state is what its tries say",
    `update webhook_delivery set attempts = '[]' where id = (select min(id) from webhook_delivery)`,
  ],
  [
    "a delivery's state is what its tries say",
    `update webhook_delivery set status = 'pending' where id = (select min(id) from webhook_delivery)`,
  ],
  [
    'an event has a delivery to each endpoint that asked for it',
    `delete from webhook_delivery where id = (select min(id) from webhook_delivery)`,
  ],
]

test.each(BREACHES)('the books name a breach of: %s (%#)', async (rule, breach) => {
  const sql = await readFile(new URL('../../db/reconcile.sql', import.meta.url), 'utf8')
  const client = await shop.owner.connect()
  try {
    await client.query('begin')
    expect((await client.query(breach)).rowCount).toBeGreaterThan(0)
    const { rows } = await client.query<{ rule: string }>(sql)
    expect(rows.map((row) => row.rule)).toContain(rule)
  } finally {
    await client.query('rollback')
    client.release()
  }
})

test('an endpoint is owed nothing of the time when it was disabled, and all again after', async () => {
  const path = `/v1/webhook_endpoints/${endpoint}`
  const credit = () =>
    shop.post('/v1/loyalty/transactions', { account: 'loy_abc123', amount: 1, reason: 'x' })
  await shop.patch(path, { status: 'disabled' })
  await credit()
  expect(await shop.reconcile()).toEqual([])
  await shop.patch(path, { status: 'enabled', enabled_events: ['loyalty.redemption.*'] })
  await credit()
  expect(await shop.reconcile()).toEqual([])
  const { rows } = await shop.owner.query(
    'select subscribed_since > created_at as again, subscribed_until from webhook_endpoint',
  )
  expect(rows).toEqual([{ again: true, subscribed_until: null }])
})

import { readFile } from 'node:fs/promises'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { EXPIRY_BATCH_SCHEDULE_ID, RECONCILER_SCHEDULE_ID } from '../../temporal/names.ts'
import { openReceiver, type Receiver } from '../webhooks/receiver.ts'
import type { Made } from './fixture.ts'
import { RestoredStack } from './restored.ts'
import { doNotReplay, runsOf, troubleOf } from './runs.ts'
import { Shop } from './shop.ts'

// A data directory that `npm start` of the release before left with everything under way, and `npm start`
// of the present code on it. record.ts made it; its dates lie in the past by now.

const WITHIN = { timeout: 120_000 }
vi.setConfig({ testTimeout: 150_000 })
const CARD = '4242424242424242'

let receiver: Receiver
let stack: RestoredStack
let shop: Shop
let made: Made
let connection: Connection
let client: Client

beforeAll(async () => {
  receiver = await openReceiver()
  stack = await RestoredStack.start(new URL(receiver.url).origin)
  made = stack.made
  shop = await Shop.open(stack.running)
  connection = await Connection.connect({ address: stack.running.temporalAddress })
  client = new Client({ connection })
  // what has no run that is due yet is found within the minute anyway
  for (const id of [RECONCILER_SCHEDULE_ID, EXPIRY_BATCH_SCHEDULE_ID]) {
    await client.schedule.getHandle(id).trigger()
  }
}, 240_000)
afterAll(async () => {
  await connection?.close()
  await shop?.close()
  await stack?.stop()
  await receiver?.close()
}, 90_000)

const statusOf = async (redemption: string) =>
  (await shop.get(`/v1/loyalty/redemptions/${redemption}`)).status
const becomes = (redemption: string) => expect.poll(() => statusOf(redemption), WITHIN)
const runOf = async (id: string) =>
  (await client.workflow.getHandle(id).describe()).status.name.toLowerCase()
const runBecomes = (id: string) => expect.poll(() => runOf(id), WITHIN)
const rowOf = async (sql: string, ...values: unknown[]) =>
  (await shop.owner.query(sql, values)).rows[0]

const pay = (redemption: string) =>
  shop.post('/v1/payments', {
    amount: 2_999,
    currency: 'EUR',
    card: CARD,
    redemptions: [redemption],
  })

describe('a redemption that waited when the release before was stopped', () => {
  test('is applied by its payment, and its run ends', async () => {
    expect(await statusOf(made.redemptions.paid)).toBe('pending')
    expect(await pay(made.redemptions.paid)).toMatchObject({ status: 'completed' })
    await becomes(made.redemptions.paid).toBe('applied')
    await runBecomes(made.redemptions.paid).toBe('completed')
  })

  test('is released by cancel, and its run ends', async () => {
    const path = `/v1/loyalty/redemptions/${made.redemptions.cancelled}/cancel`
    expect(await shop.post(path)).toMatchObject({ status: 'released' })
    await runBecomes(made.redemptions.cancelled).toBe('completed')
  })

  test('of which a till waits to hear is confirmed by it', async () => {
    const confirmed = await shop.post(`/events/${made.heldEvent}/confirm`)
    expect(confirmed).toMatchObject({ hold: { status: 'confirmed' } })
    await runBecomes(made.redemptions.held).toBe('completed')
  })

  test('and whose deadline passed meanwhile is released by its run', async () => {
    await becomes(made.redemptions.lapsed).toBe('released')
    await runBecomes(made.redemptions.lapsed).toBe('completed')
  })

  test('and was extended waits on past the date that its run knew, and is applied by its payment', async () => {
    expect(await statusOf(made.redemptions.extended)).toBe('pending')
    expect(await runOf(made.redemptions.extended)).toBe('running')
    await pay(made.redemptions.extended)
    await becomes(made.redemptions.extended).toBe('applied')
    await runBecomes(made.redemptions.extended).toBe('completed')
  })
})

test('a run whose redemption was refused after it was started ends', async () => {
  await runBecomes(made.refusedRun).toBe('completed')
})

describe('an item that waited to be shipped', () => {
  test('is given back at its deadline', async () => {
    await becomes(made.redemptions.refunded).toBe('reversed')
  })

  test('of which a part was shipped is fulfilled by the rest, and its run ends', async () => {
    const path = `/v1/loyalty/redemptions/${made.redemptions.shipped}`
    expect(await shop.get(path)).toMatchObject({ fulfillment: { shipped: 1, quantity: 2 } })
    const parcel = { tracking: '0035', carrier: 'DHL' }
    expect(await shop.post(`${path}/fulfill`, parcel)).toMatchObject({ status: 'fulfilled' })
    await runBecomes(made.redemptions.shipped).toBe('completed')
  })
})

test('an open payment expires, and releases the redemption that waits for it', async () => {
  const payment = `/v1/payments/${made.openPayment}`
  await expect.poll(async () => (await shop.get(payment)).status, WITHIN).toBe('expired')
  await becomes(made.redemptions.attached).toBe('released')
  await runBecomes(made.redemptions.attached).toBe('completed')
})

test('points that were pending mature', async () => {
  const earned = () =>
    rowOf(
      `select outcome, (select amount from ptx t where t.id = transaction)::int as points
       from earning where account = $1 and points = 40`,
      made.accounts.maturing,
    )
  await expect.poll(earned, WITHIN).toEqual({ outcome: 'earned', points: 40 })
})

test.each([
  ['slept', 'expiringAsleep', -70],
  ['had not begun', 'expiringDelayed', -60],
] as const)('points expire of an account whose run %s', async (_, member, amount) => {
  const expired = () =>
    rowOf(
      `select coalesce(sum(amount), 0)::int as points from ptx
       where account = $1 and type = 'expire' and amount = $2`,
      made.accounts[member],
      amount,
    )
  await expect.poll(expired, WITHIN).toEqual({ points: amount })
})

test('a tier falls at its review', async () => {
  const account = `/v1/loyalty/accounts/${made.accounts.tier}`
  await expect.poll(async () => (await shop.get(account)).tier, WITHIN).toBe('Bronze')
})

test('an import that was paused goes on when it is resumed, and completes', async () => {
  const path = `/v1/loyalty/imports/${made.import}`
  expect(await shop.get(path)).toMatchObject({ status: 'paused' })
  await shop.post(`${path}/resume`)
  await expect.poll(async () => (await shop.get(path)).status, WITHIN).toBe('completed')
  expect(await shop.get(path)).toMatchObject({ posted: made.importRows, refused: 0 })
  await runBecomes(made.import).toBe('completed')
})

test('deliveries that were to be tried again are delivered to the endpoint that is enabled, none to the other', async () => {
  const pending = () =>
    rowOf(
      `select count(*)::int as pending from webhook_delivery where status = 'pending' and endpoint = any($1)`,
      Object.values(made.endpoints),
    )
  await expect.poll(pending, WITHIN).toEqual({ pending: 0 })
  const { rows } = await shop.owner.query(
    `select e.object from event e join webhook_delivery d on d.workspace = e.workspace and d.event = e.id
     where d.endpoint = $1 and d.status = 'succeeded'`,
    [made.endpoints.enabled],
  )
  const sent = new Set(receiver.events().map(({ data }) => data.id))
  expect(sent).toEqual(new Set(rows.map(({ object }) => object)))
  expect(sent).toContain(made.redemptions.paid)
})

describe('once all of that is done', () => {
  test('no run has failed, none of their tasks has, and every history replays', async () => {
    const runs = await runsOf(client)
    expect(troubleOf(runs)).toEqual([])
    expect(runs.length).toBeGreaterThan(12)
    expect(await doNotReplay(runs, inject('bundlePath'))).toEqual([])
  })

  test('the books hold', async () => {
    const sql = await readFile(new URL('../../db/reconcile.sql', import.meta.url), 'utf8')
    expect((await shop.owner.query(sql)).rows).toEqual([])
  })
})

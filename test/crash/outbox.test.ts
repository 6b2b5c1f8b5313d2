import { Client, Connection } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { Processes } from '../support/processes.ts'
import { everyWaitingRowHasItsRun, outboxOf, runOf, waitingIn } from './waiting.ts'

// A redemption is committed, and its run started behind that. Each process that could do the second dies.

vi.setConfig({ testTimeout: 240_000 })
const ROWS = 100
const POINTS = 500
const COMPLETES = '4242424242424242'

let all: Processes
let connection: Connection
let client: Client

beforeAll(async () => {
  all = await Processes.start()
  connection = await Connection.connect({ address: `127.0.0.1:${all.ports.temporal}` })
  client = new Client({ connection })
})
afterEach(async () => {
  await everyWaitingRowHasItsRun(all, client)
  expect(await all.reconcile()).toEqual([])
})
afterAll(async () => {
  await connection.close()
  await all.stop()
})

/** Redeems while Temporal hangs: it is written, answered, and cannot be sent. */
async function redeemUnsent(key: string): Promise<string> {
  all.signal('temporal', 'SIGSTOP')
  const { status, body } = await all.redeem(key)
  expect([status, body.status]).toEqual([201, 'pending'])
  expect(await outboxOf(all)).toContain(body.id)
  return String(body.id)
}

/** And its process dies, so that nothing but a sweep can send them. */
async function redeemManyUnsent(): Promise<void> {
  const account = 'loy_abc123'
  const credit = { account, amount: ROWS * POINTS, reason: 'test' }
  await all.request('POST', '/v1/loyalty/transactions', credit)
  all.signal('temporal', 'SIGSTOP')
  const numbers = Array.from({ length: ROWS }, (_, n) => n).values()
  const clients = Array.from({ length: 8 }, async () => {
    for (const n of numbers) {
      expect(await all.redeem(`many-${n}`, account)).toMatchObject({ status: 201 })
    }
  })
  await Promise.all(clients)
  await all.kill('api')
  all.signal('temporal', 'SIGCONT')
  expect((await outboxOf(all)).length).toBeGreaterThanOrEqual(ROWS)
}

const statusOf = async (id: string) =>
  (await all.redemptions()).find((redemption) => redemption.id === id)?.status

async function isAppliedOnce(id: string): Promise<void> {
  const payment = { amount: 2_999, currency: 'EUR', card: COMPLETES, redemptions: [id] }
  expect(await all.request('POST', '/v1/payments', payment)).toMatchObject({ status: 201 })
  await expect.poll(() => statusOf(id), { timeout: 30_000 }).toBe('applied')
  const { rows } = await all.owner.query(
    `select count(*)::int as events from event where object = $1 and type = 'loyalty.redemption.applied'`,
    [id],
  )
  expect(rows).toEqual([{ events: 1 }])
}

test('the API dies between commit and send: the sweep sends the row', async () => {
  const id = await redeemUnsent('commit-then-die')
  await all.kill('api')
  all.signal('temporal', 'SIGCONT')
  await expect.poll(() => runOf(client, id), { timeout: 90_000 }).toBe('RUNNING')
  await all.startApi()
  await isAppliedOnce(id)
})

test('the API dies between send and delete: the row is sent again, which changes nothing', async () => {
  const id = await redeemUnsent('send-then-die')
  const holder = await all.owner.connect()
  await holder.query('begin')
  await holder.query('select from workflow_outbox where workflow_id = $1 for update', [id])
  all.signal('temporal', 'SIGCONT')
  await expect.poll(() => runOf(client, id), { timeout: 60_000 }).toBe('RUNNING')
  const { runId } = await client.workflow.getHandle(id).describe()
  await all.kill('api')
  await holder.query('rollback')
  holder.release()
  expect(await outboxOf(all)).toContain(id)
  await all.startApi()
  await everyWaitingRowHasItsRun(all, client)
  expect((await client.workflow.getHandle(id).describe()).runId).toBe(runId)
  await isAppliedOnce(id)
})

test(`a worker dies in the sweep of ${ROWS} rows beside another one: every row is sent`, async () => {
  await all.quit('worker')
  await redeemManyUnsent()
  const another = await all.startAnotherWorker()
  await all.startWorker()
  try {
    await expect
      .poll(async () => (await outboxOf(all)).length, { timeout: 60_000, interval: 10 })
      .toBeLessThan(ROWS)
    await all.kill('worker')
    await everyWaitingRowHasItsRun(all, client)
    expect((await waitingIn(all)).length).toBeGreaterThanOrEqual(ROWS)
  } finally {
    await another.stop()
    await Promise.all([all.startApi(), all.startWorker()])
  }
})

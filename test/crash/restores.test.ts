import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { backUp } from '../support/backup.ts'
import { Processes } from '../support/processes.ts'
import { everyWaitingRowHasItsRun, runOf } from './waiting.ts'

// Either database comes back as it was some time ago. `npm run resignal` then sends every waiting row again.

vi.setConfig({ testTimeout: 180_000 })
const COMPLETES = '4242424242424242'

let all: Processes
let connection: Connection
let client: Client

beforeAll(async () => {
  all = await Processes.start()
  connection = await Connection.connect({ address: `127.0.0.1:${all.ports.temporal}` })
  client = new Client({ connection })
})
afterAll(async () => {
  await connection.close()
  await all.stop()
})

async function redeem(key: string, reward = 'rwd_fivecredit'): Promise<string> {
  const body = { account: 'loy_8sd2k1', reward }
  const answer = await all.request('POST', '/v1/loyalty/redemptions', body, key)
  expect(answer).toMatchObject({ status: 201 })
  const id = String(answer.body.id)
  await expect.poll(() => runOf(client, id), { timeout: 30_000 }).toBe('RUNNING')
  return id
}

const becomes = (id: string) =>
  expect.poll(async () => (await all.redemptions()).find((row) => row.id === id)?.status, {
    timeout: 60_000,
  })

const pay = async (id: string) => {
  const payment = { amount: 2_999, currency: 'EUR', card: COMPLETES, redemptions: [id] }
  expect(await all.request('POST', '/v1/payments', payment)).toMatchObject({ status: 201 })
}

const rewardHeldFor = async (holdMinutes: number): Promise<string> => {
  const value = { amount: 500, currency: 'EUR' }
  const reward = { name: 'Five off', type: 'discount_amount', cost: 100, value, holdMinutes }
  return String((await all.request('POST', '/v1/loyalty/rewards', reward)).body.id)
}

test('Temporal comes back without the runs of the last hours: resignal begins them again, and they end as they would have', async () => {
  const known = await redeem('before the copy')
  const [endedSince, short] = [await redeem('ends after the copy'), await rewardHeldFor(0.5)]
  await all.kill('temporal')
  const backup = await backUp(all, 'temporal')
  await all.startTemporal()
  const lost = await redeem('after the copy')
  const item = await redeem('an item after the copy', 'rwd_totebag')
  const lapsing = await redeem('lapses after the copy', short)
  await pay(endedSince)
  await becomes(endedSince).toBe('applied')

  await Promise.all([all.quit('api'), all.quit('worker')])
  await all.kill('temporal')
  await backup.restore()
  await all.startTemporal()
  expect(await runOf(client, lost)).toBe('NONE')
  await all.command('resignal')
  await Promise.all([all.startApi(), all.startWorker()])

  await becomes(lapsing).toBe('released')
  await everyWaitingRowHasItsRun(all, client)
  await pay(known)
  await pay(lost)
  await becomes(known).toBe('applied')
  await becomes(lost).toBe('applied')
  const path = `/v1/loyalty/redemptions/${item}/fulfill`
  expect((await all.request('POST', path, {})).body.status).toBe('fulfilled')
  for (const id of [known, lost, item, lapsing]) {
    await expect.poll(() => runOf(client, id), { timeout: 60_000 }).toBe('COMPLETED')
  }
  expect(await all.reconcile()).toEqual([])
})

test('the database comes back without the rows of the last hours: their runs end with a sentence, and those that are there go on', async () => {
  const short = await rewardHeldFor(0.5)
  const known = await redeem('known to both')
  await Promise.all([all.quit('api'), all.quit('worker')])
  await all.kill('postgres')
  const backup = await backUp(all, 'postgres')
  await all.startPostgres()
  await Promise.all([all.startApi(), all.startWorker()])
  await pay(known)
  await becomes(known).toBe('applied')
  const forgotten = await redeem('forgotten', short)

  await Promise.all([all.quit('api'), all.quit('worker')])
  await all.kill('postgres')
  await backup.restore()
  await all.startPostgres()
  await all.command('resignal')
  await Promise.all([all.startApi(), all.startWorker()])

  expect(await client.workflow.getHandle(forgotten).result()).toMatchObject({
    redemption: forgotten,
    story: expect.stringMatching(/\w+.*\.$/),
  })
  await becomes(forgotten).toBe(undefined)
  await becomes(known).toBe('pending') // the payment is gone as well: its provider sends it again
  await everyWaitingRowHasItsRun(all, client)
  await pay(known)
  await becomes(known).toBe('applied')
  expect(await all.reconcile()).toEqual([])
})

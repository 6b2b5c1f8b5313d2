import { createHmac } from 'node:crypto'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { Processes } from '../support/processes.ts'
import { checkOut, PREVIOUS_RELEASE, type Release } from './release.ts'
import { doNotReplay, runsOf, troubleOf } from './runs.ts'

// An installation is upgraded program by program: schema, workers, APIs. Meanwhile, and where somebody
// goes back, the release before works on the new schema beside the present one.

vi.setConfig({ testTimeout: 300_000 })
const WITHIN = { timeout: 90_000 }
const ACCOUNT = 'loy_8sd2k1'
const COMPLETES = '4242424242424242'
const DECLINED = '4000000000000002'

let before: Release
let all: Processes
let connection: Connection
let client: Client
let short: string

beforeAll(async () => {
  before = await checkOut(PREVIOUS_RELEASE)
  all = await Processes.start({ programs: false })
  connection = await Connection.connect({ address: `127.0.0.1:${all.ports.temporal}` })
  client = new Client({ connection })
  await startPrograms('before', 'present')
  await post('/v1/loyalty/transactions', { account: ACCOUNT, amount: 100_000, reason: 'test' })
  short = await rewardHeldFor(SHORT_MINUTES)
}, 180_000)
afterAll(async () => {
  await connection?.close()
  await all?.stop()
  await before?.remove()
})

type Version = 'before' | 'present'

/** The API and the worker of these versions; those that ran are gone. */
async function startPrograms(api: Version, worker: Version): Promise<void> {
  await Promise.all([all.quit('api'), all.quit('worker')])
  const folderOf = (version: Version) => (version === 'before' ? before.folder : undefined)
  await Promise.all([all.startApi(folderOf(api)), all.startWorker(folderOf(worker))])
}

async function post(path: string, body: object = {}) {
  const answer = await all.request('POST', path, body)
  expect([answer.status < 300, answer.body.error]).toEqual([true, undefined])
  return answer.body
}

/** Half an hour's hold, which no test waits for. */
const LONG = 'rwd_fivecredit'
/** Long enough to be paid on a busy machine, and to be waited for. */
const SHORT_MINUTES = 0.75

const redeem = async (reward: string) =>
  String((await post('/v1/loyalty/redemptions', { account: ACCOUNT, reward })).id)
const pay = (redemption: string, card = COMPLETES) =>
  post('/v1/payments', { amount: 2_999, currency: 'EUR', card, redemptions: [redemption] })
/** The provider says that a payment which it alone knows has completed, with this redemption. */
async function payByProvider(redemption: string) {
  const id = `pay_of_provider_${redemption}`
  const data = {
    id,
    amount: 2_999,
    amount_charged: 2_499,
    currency: 'eur',
    redemptions: [redemption],
  }
  const at = Math.floor(Date.now() / 1_000)
  const body = JSON.stringify({ id: `evt_${id}`, type: 'payment.completed', created: at, data })
  const digest = createHmac('sha256', all.paymentSecret).update(`${at}.${body}`).digest('hex')
  const path = `http://127.0.0.1:${all.ports.api}/v1/webhooks/payments/sandbox`
  const headers = {
    'Content-Type': 'application/json',
    'x-vinr-signature': `t=${at},v1=${digest}`,
  }
  const answer = await fetch(path, { method: 'POST', headers, body })
  expect(answer.status).toBe(200)
}

const verb = (redemption: string, name: string, body: object = {}) =>
  post(`/v1/loyalty/redemptions/${redemption}/${name}`, body)
const becomes = (redemption: string) =>
  expect.poll(
    async () => (await all.request('GET', `/v1/loyalty/redemptions/${redemption}`)).body.status,
    WITHIN,
  )
const runOf = async (id: string) => (await client.workflow.getHandle(id).describe()).status.name

async function rewardHeldFor(holdMinutes: number): Promise<string> {
  const value = { amount: 500, currency: 'EUR' }
  const reward = { name: 'Five off', type: 'discount_amount', cost: 100, value, holdMinutes }
  return String((await post('/v1/loyalty/rewards', reward)).id)
}

/** Some of everything that waits, for the same or other programs to end it. */
async function redeemSome(reward = LONG) {
  const [paid, paidByProvider, declined, cancelled, extended, lapsed, shipped] = await Promise.all([
    redeem(reward),
    redeem(reward),
    redeem(reward),
    redeem(reward),
    redeem(reward),
    redeem(short),
    redeem('rwd_totebag'),
  ])
  lapsing.push(lapsed)
  return { paid, paidByProvider, declined, cancelled, extended, lapsed, shipped }
}

type Some = Awaited<ReturnType<typeof redeemSome>>

async function endThem(some: Some) {
  await Promise.all([
    pay(some.paid),
    payByProvider(some.paidByProvider),
    pay(some.declined, DECLINED),
    verb(some.cancelled, 'cancel'),
    verb(some.extended, 'extend', { minutes: 1 }),
    verb(some.shipped, 'fulfill', { tracking: '0034', carrier: 'DHL' }),
  ])
  await pay(some.extended)
  await becomes(some.paid).toBe('applied')
  await becomes(some.paidByProvider).toBe('applied')
  await becomes(some.declined).toBe('released')
  await becomes(some.cancelled).toBe('released')
  await becomes(some.extended).toBe('applied')
  await becomes(some.shipped).toBe('fulfilled')
}

/** What nobody ends; its deadline comes while others are ended. */
const lapsing: string[] = []

const without = (some: Some, ...left: (keyof Some)[]) =>
  Object.entries(some).flatMap(([name, id]) => (left.some((key) => key === name) ? [] : [id]))

/** Nothing of these waits in Temporal any more. */
async function runsEnd(redemptions: string[]) {
  for (const id of redemptions) await expect.poll(() => runOf(id), WITHIN).toBe('COMPLETED')
}

describe('while an installation is upgraded', () => {
  test('the API of the release before works with the present worker', async () => {
    const some = await redeemSome()
    await endThem(some)
    await runsEnd(without(some, 'lapsed'))
  })

  test('what the API of the release before began is ended by the present one', async () => {
    const some = await redeemSome()
    await startPrograms('present', 'present')
    await endThem(some)
    await runsEnd(without(some, 'lapsed'))
  })
})

test('the present API works with the worker of the release before, and the present worker goes on with its runs', async () => {
  await startPrograms('present', 'before')
  const [ended, waiting] = [await redeemSome(short), await redeemSome()]
  await endThem(ended)
  await startPrograms('present', 'present')
  await endThem(waiting)
  // a run that the release before began does not hear that its row has ended, and ends at its time
  await runsEnd(without(ended, 'lapsed', 'shipped'))
  await runsEnd(without(waiting, 'lapsed'))
})

test('who goes back to the release before loses nothing: it ends what the present one began, and the other way round', async () => {
  await startPrograms('present', 'present')
  const some = await redeemSome()
  await startPrograms('before', 'before')
  await endThem(some)
  const others = await redeemSome()
  await startPrograms('present', 'present')
  await endThem(others)
  await runsEnd(without(some, 'lapsed'))
  await runsEnd(without(others, 'lapsed'))
})

describe('after all of that', () => {
  test('whatever nobody ended was released at its deadline', async () => {
    for (const id of lapsing) await becomes(id).toBe('released')
    await runsEnd(lapsing)
  })

  test('no run has failed, none of their tasks has, and every history replays', async () => {
    const runs = await runsOf(client)
    expect(runs.length).toBeGreaterThanOrEqual(42)
    expect(troubleOf(runs)).toEqual([])
    expect(await doNotReplay(runs, inject('bundlePath'))).toEqual([])
  })

  test('the books hold', async () => {
    expect(await all.reconcile()).toEqual([])
  })
})

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Processes } from '../support/processes.ts'

const ACCOUNT = 'loy_8sd2k1'

let all: Processes
let before: number

beforeAll(async () => {
  all = await Processes.start()
  const type = await all.request('POST', '/v1/event_types', { name: 'REDEEMED_POINTS' })
  const reactor = await all.request('POST', '/v1/reactors', {
    name: 'Redeem points',
    trigger: 'REDEEMED_POINTS',
    reactions: [{ type: 'adjust_points', points: '$.points * -1' }],
  })
  expect([type.status, reactor.status]).toEqual([201, 201])
  before = await balance()
})
afterEach(async () => {
  expect(await all.reconcile()).toEqual([])
})
afterAll(() => all.stop())

async function balance(): Promise<number> {
  const { body } = await all.request('GET', `/v1/loyalty/accounts/${ACCOUNT}`)
  return Number(body.balance)
}

const report = (eventId: string) =>
  all.request('POST', '/v1/events?strict=true', {
    type: 'REDEEMED_POINTS',
    user: ACCOUNT,
    payload: { points: 10 },
    eventId,
  })

/** A report that waits for the member's lock, as long as the test holds it. */
async function waitingForLock(eventId: string) {
  const lock = await all.holdAccount(ACCOUNT)
  const answer = report(eventId).catch(() => 'connection lost' as const)
  await expect.poll(() => lock.waiters(), { timeout: 20_000 }).toHaveLength(1)
  return { lock, answer }
}

test('the API dies before the event is written: nothing happened, and the same eventId does it once', async () => {
  const { lock, answer } = await waitingForLock('died-before')
  const [backend] = await lock.waiters()
  await all.kill('api')
  await all.terminate(backend)
  await lock.release()
  expect(await answer).toBe('connection lost')
  await all.startApi()
  expect(await balance()).toBe(before)
  expect(await report('died-before')).toMatchObject({
    status: 200,
    replayed: false,
    body: { points: -10 },
  })
  expect(await report('died-before')).toMatchObject({ status: 200, replayed: true })
  expect(await balance()).toBe(before - 10)
})

test('the API dies after the event is written, before its answer: the same eventId is answered as it would have been', async () => {
  const { lock, answer } = await waitingForLock('died-after')
  await all.kill('api')
  await lock.release() // the database finishes what it had begun
  expect(await answer).toBe('connection lost')
  await all.startApi()
  await expect.poll(balance).toBe(before - 20)
  expect(await report('died-after')).toMatchObject({
    status: 200,
    replayed: true,
    body: { points: -10, balance: before - 20 },
  })
  expect(await balance()).toBe(before - 20)
})

test('the API is killed again and again while tills report: every event happens once', async () => {
  const ids = Array.from({ length: 24 }, (_, till) => `storm-${till}`)
  const untilAnswered = async (eventId: string) => {
    for (;;) {
      const answer = await report(eventId).catch(() => null)
      if (answer !== null && answer.status < 500) return answer
      await new Promise((resolve) => setTimeout(resolve, 100)) // a till's back-off
    }
  }
  const storm = Promise.all(ids.map(untilAnswered))
  for (let kill = 0; kill < 3; kill++) {
    await all.kill('api')
    await all.startApi()
  }
  const answers = await storm
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(24)
  expect(await balance()).toBe(before - 20 - 240)
})

import { Client, Connection } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { derivedId } from '../../domain/ids.ts'
import { Processes } from '../support/processes.ts'

const ACCOUNT = 'loy_8sd2k1'
const ROUTE = 'POST /v1/loyalty/redemptions'

let all: Processes
let connection: Connection
let client: Client

beforeAll(async () => {
  all = await Processes.start({ holdMinutes: 0.2 }) // 12 s, and a creation window of 6 s
  connection = await Connection.connect({ address: `127.0.0.1:${all.ports.temporal}` })
  client = new Client({ connection })
})
afterEach(async () => {
  expect(await all.reconcile()).toEqual([])
})
afterAll(async () => {
  await connection.close()
  await all.stop()
})

const idOf = (key: string) => derivedId('rdm', all.workspace, ROUTE, key)
const rowOf = async (key: string) => (await all.redemptions()).find(({ id }) => id === idOf(key))

/** A create that has armed its run and now waits for the account's lock, as long as the test holds it. */
async function createWaitingForLock(key: string) {
  const lock = await all.holdAccount(ACCOUNT)
  const answer = all.redeem(key).catch(() => 'connection lost' as const)
  await expect.poll(() => lock.waiters(), { timeout: 20_000 }).toHaveLength(1)
  expect((await client.workflow.getHandle(idOf(key)).describe()).status.name).toBe('RUNNING')
  return { lock, answer }
}

test('the process dies between arm and act: nothing was written, the retry with the same key creates it, and its timer stands', async () => {
  const { lock, answer } = await createWaitingForLock('arm-then-die')
  const [backend] = await lock.waiters()
  await all.kill('api')
  await all.terminate(backend)
  await lock.release()
  expect(await answer).toBe('connection lost')
  await all.startApi()
  expect(await rowOf('arm-then-die')).toBeUndefined()

  expect(await all.redeem('arm-then-die')).toMatchObject({
    status: 201,
    replayed: false,
    body: { status: 'pending' },
  })
  await expect
    .poll(() => rowOf('arm-then-die'), { timeout: 40_000 })
    .toMatchObject({ status: 'released' })
})

test('the process dies after act, before its answer: the retry with the same key gets the same redemption, once', async () => {
  const { lock, answer } = await createWaitingForLock('act-then-die')
  await all.kill('api')
  await lock.release() // the database finishes what it had begun
  expect(await answer).toBe('connection lost')
  await expect.poll(() => rowOf('act-then-die')).toMatchObject({ status: 'pending' })
  await all.startApi()
  expect(await all.redeem('act-then-die')).toMatchObject({
    status: 200,
    replayed: true,
    body: { id: idOf('act-then-die') },
  })
  await expect
    .poll(() => rowOf('act-then-die'), { timeout: 40_000 })
    .toMatchObject({ status: 'released' })
})

test('the process dies between arm and act and nobody retries: the run wakes, finds nothing, ends', async () => {
  const { lock, answer } = await createWaitingForLock('arm-and-gone')
  const [backend] = await lock.waiters()
  await all.kill('api')
  await all.terminate(backend)
  await lock.release()
  await answer
  await all.startApi()
  expect(await client.workflow.getHandle(idOf('arm-and-gone')).result()).toMatchObject({
    status: 'missing',
  })
  expect(await rowOf('arm-and-gone')).toBeUndefined()
})

test('create refuses once the clock has passed the arming by the creation window: 503, nothing written, the run ends by itself', async () => {
  // 6 s, and a creation window of 3: less than the 5 s for which anybody waits for a lock
  await all.owner.query(`update reward set hold_minutes = 0.1 where id = 'rwd_fivecredit'`)
  const { lock, answer } = await createWaitingForLock('too-late')
  const armedAt = Date.now()
  await expect.poll(() => Date.now() - armedAt, { timeout: 20_000 }).toBeGreaterThan(3_300)
  await lock.release()
  await all.owner.query(`update reward set hold_minutes = null where id = 'rwd_fivecredit'`)
  expect(await answer).toMatchObject({
    status: 503,
    body: { error: { code: 'temporarily_unavailable' } },
  })
  expect(await rowOf('too-late')).toBeUndefined()
  expect(await client.workflow.getHandle(idOf('too-late')).result()).toMatchObject({
    status: 'missing',
  })
})

test('a refused create leaves an armed run that is never terminated and ends by itself', async () => {
  const lock = await all.holdAccount('loy_abc123')
  const keys = Array.from({ length: 11 }, (_, index) => `refused-${index}`)
  const eleven = keys.map((key) => all.redeemUntilAnswered(key, 'loy_abc123'))
  const isArmed = (key: string) =>
    client.workflow
      .getHandle(idOf(key))
      .describe()
      .then(
        () => true,
        () => false,
      )
  const armed = async () => (await Promise.all(keys.map(isArmed))).filter(Boolean).length
  await expect.poll(armed, { timeout: 20_000 }).toBe(11) // all of them were told that there is enough
  await lock.release()
  const answers = await Promise.all(eleven)
  expect(answers.filter(({ status }) => status < 300)).toHaveLength(10)
  const refused = answers.findIndex(({ status }) => status === 422)
  expect(answers[refused]?.body).toMatchObject({
    error: { code: 'insufficient_points', missing: 500 },
  })
  expect(await client.workflow.getHandle(idOf(`refused-${refused}`)).result()).toMatchObject({
    status: 'missing',
  })
})

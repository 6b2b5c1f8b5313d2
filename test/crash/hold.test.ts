import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { derivedId } from '../../domain/ids.ts'
import { Processes } from '../support/processes.ts'

// A till's hold is one transaction with its event; here the API dies before and after.

const ACCOUNT = 'loy_8sd2k1'
const REPORT = { type: 'REDEEMED_POINTS', user: ACCOUNT, payload: { points: 500 }, hold: true }

let all: Processes

beforeAll(async () => {
  all = await Processes.start({ holdMinutes: 0.2 }) // 12 s
  const schema = { type: 'object', properties: { points: { type: 'integer' } } }
  await all.request('POST', '/v1/event_types', { name: 'REDEEMED_POINTS', schema })
  await all.request('POST', '/v1/reactors', {
    name: 'Redeem points',
    trigger: 'REDEEMED_POINTS',
    reactions: [{ type: 'adjust_points', points: '$.points * -1' }],
  })
})
afterEach(async () => {
  expect(await all.reconcile()).toEqual([])
})
afterAll(() => all.stop())

const hold = (eventId: string) => all.request('POST', '/events', { ...REPORT, eventId })
const rowOf = async (eventId: string) => {
  const id = derivedId('rdm', all.workspace, 'hold', eventId)
  return (await all.redemptions()).find((row) => row.id === id)
}
const points = async () => (await all.request('GET', `/users/${ACCOUNT}/wallet`)).body.points

test('the API dies before the commit: nothing is held, the same report holds it, and its timer stands', async () => {
  const before = await points()
  const lock = await all.holdAccount(ACCOUNT)
  const answer = hold('die-then-write').catch(() => 'connection lost' as const)
  await expect.poll(() => lock.waiters(), { timeout: 20_000 }).toHaveLength(1)
  const [backend] = await lock.waiters()
  await all.kill('api')
  await all.terminate(backend)
  await lock.release()
  expect(await answer).toBe('connection lost')
  await all.startApi()
  expect(await rowOf('die-then-write')).toBeUndefined()
  expect(await points()).toBe(before)

  expect(await hold('die-then-write')).toMatchObject({ status: 200, replayed: false })
  expect(await points()).toBe(Number(before) - 500)
  await expect
    .poll(() => rowOf('die-then-write'), { timeout: 40_000 })
    .toMatchObject({ status: 'released' })
  expect(await points()).toBe(before)
})

test('the API dies with the commit, before its answer: the same report finds what is held, once, and the till confirms it', async () => {
  const before = await points()
  const lock = await all.holdAccount(ACCOUNT)
  const answer = hold('write-then-die').catch(() => 'connection lost' as const)
  await expect.poll(() => lock.waiters(), { timeout: 20_000 }).toHaveLength(1)
  await all.kill('api')
  await lock.release()
  expect(await answer).toBe('connection lost')
  await expect.poll(() => rowOf('write-then-die')).toMatchObject({ status: 'pending' })
  await all.startApi()
  expect(await hold('write-then-die')).toMatchObject({ status: 200, replayed: true })
  const confirmed = await all.request('POST', '/events/write-then-die/confirm', {})
  expect(confirmed).toMatchObject({ status: 200, body: { hold: { status: 'confirmed' } } })
  expect(await points()).toBe(Number(before) - 500)
})

import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { asRequest, followUp } from '../../activities/follow-ups.ts'
import type { Failure } from '../../app/failures.ts'
import { type Engine, withinDeadline } from '../../temporal/engine.ts'

/** An engine that never answers: each call ends at its deadline. */
function deafEngine() {
  let calls = 0
  const engine = {
    client: {
      withDeadline: async (atMs: number) => {
        calls++
        await delay(atMs - Date.now())
        throw Object.assign(new Error('deadline'), { code: 4 })
      },
    },
  } as unknown as Engine
  return { send: () => withinDeadline(engine, async () => {}), calls: () => calls }
}

const failures: Failure[] = []
const onFailure = (failure: Failure) => void failures.push(failure)
const many = Array.from({ length: 1_000 }, (_, n) => n)

test('what follows a request’s commits has one second in all, however much it is and in how many parts', async () => {
  const { send, calls } = deafEngine()
  failures.length = 0
  const began = performance.now()
  await asRequest(async () => {
    await followUp(many, send, { kind: 'expiry_start', about: { account: 'loy_1' }, onFailure })
    await followUp(many, send, { kind: 'welcome_start', about: {}, onFailure })
  })
  expect(performance.now() - began).toBeLessThan(2_000) // one second, on a busy machine
  expect(calls()).toBeLessThan(many.length) // what there was no time for is not sent
  expect(failures).toMatchObject([
    { kind: 'expiry_start', error: { code: 4 }, about: { account: 'loy_1', left: '1000' } },
    { kind: 'welcome_start', about: { left: '1000', of: '1000' } },
  ])
})

test('each request has a second of its own, and a healthy engine is told everything', async () => {
  failures.length = 0
  const sent: number[] = []
  const send = async (n: number) => void sent.push(n)
  for (let request = 0; request < 3; request++) {
    await asRequest(() => followUp(many, send, { kind: 'x', about: {}, onFailure }))
  }
  expect(sent).toHaveLength(3_000)
  expect(failures).toEqual([])
})

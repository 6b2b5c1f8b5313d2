import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { connectionFailure, NoAnswer } from '../../temporal/breaker.ts'
import { type Engine, within } from '../../temporal/engine.ts'

/** An engine of which only the deadline of a call counts; `repeats` as one without a connection does. */
function engineWithDeadlines(deadlines: number[], { repeats = false } = {}) {
  const withDeadline = async <T>(deadline: number, send: () => Promise<T>): Promise<T> => {
    deadlines.push(deadline)
    return repeats ? delay(60_000, undefined as T, { ref: false }) : send()
  }
  return { client: { withDeadline }, taskQueue: 'any' } as unknown as Engine
}

test('a call to Temporal is answered by what it answers, or fails as it fails', async () => {
  const deadlines: number[] = []
  const engine = engineWithDeadlines(deadlines)
  expect(await within(engine, async () => 'started')).toBe('started')
  const refusal = new Error('already started')
  await expect(within(engine, () => Promise.reject(refusal))).rejects.toBe(refusal)
  for (const deadline of deadlines) {
    expect(deadline - Date.now()).toBeGreaterThan(2_000)
    expect(deadline - Date.now()).toBeLessThanOrEqual(3_000)
  }
})

test('a call that is not answered in its time is given up then, however long the client goes on with it', async () => {
  const engine = engineWithDeadlines([], { repeats: true })
  const began = performance.now()
  const error = await within(engine, async () => {}, 50).catch((cause: unknown) => cause)
  expect(performance.now() - began).toBeLessThan(1_000)
  expect(error).toBeInstanceOf(NoAnswer)
  expect(connectionFailure(error)).toBe(4)
})

test('what fails after its time is no unhandled rejection', async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  try {
    const engine = engineWithDeadlines([])
    const late = async () => {
      await delay(60)
      throw new Error('the deadline passed')
    }
    await expect(within(engine, late, 20)).rejects.toThrow('no answer within 20 ms')
    await delay(80)
    expect(unhandled).toEqual([])
  } finally {
    process.off('unhandledRejection', note)
  }
})

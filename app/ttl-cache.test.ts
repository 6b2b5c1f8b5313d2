import { expect, test } from 'vitest'
import { ttlCache } from './ttl-cache.ts'

/** A cache of two keys and a second, whose answers are numbered. */
function opened() {
  let now = Date.UTC(2026, 0)
  let fails = false
  const asked: string[] = []
  const ask = async (key: string) => {
    asked.push(key)
    if (fails) throw new Error('connection refused')
    return `${key}${asked.length}`
  }
  return {
    cache: ttlCache(ask, { ttlMs: 1_000, most: 2, now: () => now }),
    asked,
    pass: (ms: number) => {
      now += ms
    },
    fail: (is: boolean) => {
      fails = is
    },
  }
}

test('all who want a key at the same time, and within its time, get one answer', async () => {
  const { cache, asked, pass } = opened()
  expect(await Promise.all([cache('a'), cache('a')])).toEqual(['a1', 'a1'])
  pass(1_000)
  expect(await cache('a')).toBe('a1')
  pass(1)
  expect(await cache('a')).toBe('a2')
  expect(asked).toEqual(['a', 'a'])
})

test('what is forgotten while it is asked for is asked for anew, and who waited gets the first answer', async () => {
  const { cache } = opened()
  const waits = cache('a')
  cache.forget('a')
  expect([await cache('a'), await waits]).toEqual(['a2', 'a1'])
  expect(await cache('a')).toBe('a2')
})

test('a failure is told to all who wait, and not remembered', async () => {
  const { cache, fail } = opened()
  fail(true)
  const both = await Promise.allSettled([cache('a'), cache('a')])
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  fail(false)
  expect(await cache('a')).toBe('a2')
})

test('a failure that comes late does not remove the answer that was asked for after it', async () => {
  const { cache, fail } = opened()
  fail(true)
  const fails = cache('a')
  cache.forget('a')
  fail(false)
  const later = cache('a')
  await expect(fails).rejects.toThrow('refused')
  expect([await later, await cache('a')]).toEqual(['a2', 'a2'])
})

test('no more keys are kept than it may hold, and the one least used goes', async () => {
  const { cache, asked } = opened()
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await cache(key)
  expect(asked).toEqual(['a', 'b', 'c', 'b'])
})

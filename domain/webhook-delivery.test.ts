import { expect, test } from 'vitest'
import { retryAfterMs, retryDelayMs } from './webhook-delivery.ts'

const MINUTE = 60_000

test.each([
  [1, 1],
  [2, 5],
  [3, 30],
  [4, 120],
  [5, 1_440],
  [6, 2_880],
])('after try %i the next comes in %i minutes, up to a tenth later', (attempt, minutes) => {
  expect(retryDelayMs(attempt, null, 0)).toBe(minutes * MINUTE)
  expect(retryDelayMs(attempt, null, 1)).toBe(Math.round(minutes * MINUTE * 1.1))
})

test('the seventh try is the last', () => expect(retryDelayMs(7, null, 0)).toBeNull())

test('Retry-After makes the wait longer, never shorter, and never longer than two days', () => {
  expect(retryDelayMs(1, 10 * MINUTE, 0)).toBe(10 * MINUTE)
  expect(retryDelayMs(2, MINUTE, 0)).toBe(5 * MINUTE)
  expect(retryDelayMs(1, 1e12, 0)).toBe(2_880 * MINUTE)
})

test('Retry-After is read as seconds or as a date; anything else says nothing', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  expect(retryAfterMs('120', now)).toBe(120_000)
  expect(retryAfterMs('Thu, 01 Jan 2026 00:01:00 GMT', now)).toBe(60_000)
  expect(retryAfterMs('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(0)
  expect([retryAfterMs('soon', now), retryAfterMs(undefined, now)]).toEqual([null, null])
})

import { expect, test } from 'vitest'
import { deliverAndKill } from './killed-worker.ts'

// test/long/webhooks.test.ts is the same with 100,000 events and ten kills.
const EVENTS = 2_000
const KILLS = 2

test(`${EVENTS} events, the worker killed twice: each is delivered at least once, none is lost`, async () => {
  const { repeats } = await deliverAndKill(EVENTS, KILLS)
  expect(repeats).toBeLessThan(EVENTS / 10) // only what was under way when a worker died comes again
}, 240_000)

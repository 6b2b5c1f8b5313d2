import { test } from 'vitest'
import { deliverAndKill } from '../crash/killed-worker.ts'

// WEBHOOK_EVENTS measures less.
const EVENTS = Number(process.env.WEBHOOK_EVENTS ?? 100_000)
const KILLS = 10
const LONGEST_MS = 3_600_000

test(
  `${EVENTS} events, the worker killed ${KILLS} times: each is delivered at least once, none is lost`,
  async () => {
    const { repeats, seconds } = await deliverAndKill(EVENTS, KILLS)
    const rate = Math.round(EVENTS / seconds)
    console.log(
      `${EVENTS} events in ${seconds} s (${rate}/s), ${repeats} of them came more than once`,
    )
  },
  LONGEST_MS,
)

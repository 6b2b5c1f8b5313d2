import { setTimeout as delay } from 'node:timers/promises'
import type { Outbox, Running, Runs } from './contender.ts'

/** The outbox at one moment of a load. */
export interface Look extends Outbox {
  /** Seconds since the load began. */
  second: number
}

const CHECK_EVERY_MS = 1_000 // counts a table that may hold thousands: seldom enough to cost nothing
const ASK_EVERY_MS = 100
// A minute's whole backlog at the pace of a start alone; longer means that nobody sends.
const SETTLED_WITHIN_MS = 300_000

/** Looks at the outbox every second for as long as the load lasts; nothing where there is none. */
export async function watchOutbox({ outbox }: Running, durationMs: number): Promise<Look[]> {
  if (outbox === undefined) return []
  const looks: Look[] = []
  const began = performance.now()
  for (let second = 1; second * CHECK_EVERY_MS <= durationMs; second++) {
    await delay(Math.max(0, began + second * CHECK_EVERY_MS - performance.now()))
    looks.push({ second, ...(await outbox()) })
  }
  return looks
}

/**
 * Waits until the engine has done its share of what was answered: no row of the outbox waits and
 * `isDone` says so of the runs. Without an outbox there is nothing to wait for.
 */
export async function untilSettled(
  { outbox, runs }: Pick<Running, 'outbox' | 'runs'>,
  isDone: (runs: Runs) => boolean,
): Promise<void> {
  if (outbox === undefined || runs === undefined) return
  const until = performance.now() + SETTLED_WITHIN_MS
  for (;;) {
    const { waiting } = await outbox()
    if (waiting === 0) {
      // asked last: the engine counts with some effort
      const found = await runs()
      if (isDone(found)) return
      if (performance.now() > until) throw new Error(`runs are missing: ${JSON.stringify(found)}`)
    }
    if (performance.now() > until) throw new Error(`${waiting} rows of the outbox were never sent`)
    await delay(ASK_EVERY_MS)
  }
}

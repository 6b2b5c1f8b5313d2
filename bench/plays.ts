import { setTimeout as delay } from 'node:timers/promises'
import { untilSettled } from './behind.ts'
import type { Audit, Running } from './contender.ts'
import type { Play } from './rounds.ts'

const CATCH_UP_MS = 15_000 // an engine's own index of what it runs may lag behind
const CHECK_EVERY_MS = 200

/** One redemption a task. Afterwards each has its debit and its timer. */
export function createPlay(running: Running): Play {
  return {
    task: async (member) => {
      await running.create(member)
    },
    done: ({ started }) => started,
    settled: (tasks) => untilSettled(running, ({ started }) => started >= tasks),
    check: (tasks) =>
      untilAgreed(running, `${tasks} debits and timers`, ({ debits, armed }) => {
        return debits === tasks && (armed === undefined || armed === tasks)
      }),
    stop: async () => {},
  }
}

/** One redemption and its payment a task, done when it is applied. Afterwards none is missing. */
export function cyclePlay(running: Running): Play {
  const watch = watchApplied(running)
  return {
    task: async (member) => {
      const redemption = await running.create(member)
      await Promise.all([watch.until(redemption), running.pay?.(redemption)])
    },
    done: ({ completed }) => completed,
    settled: (tasks) => untilSettled(running, ({ completed }) => completed >= tasks),
    check: (tasks) =>
      untilAgreed(running, `${tasks} debits, all applied`, ({ debits, applied }) => {
        return debits === tasks && applied === tasks
      }),
    stop: watch.stop,
  }
}

async function untilAgreed(
  running: Running,
  expected: string,
  agrees: (audit: Audit) => boolean,
): Promise<void> {
  const until = performance.now() + CATCH_UP_MS
  let audit = await running.audit()
  while (!agrees(audit)) {
    if (performance.now() > until) {
      throw new Error(`expected ${expected}, found ${JSON.stringify(audit)}`)
    }
    await delay(CHECK_EVERY_MS)
    audit = await running.audit()
  }
}

const APPLIED_WITHIN_MS = 60_000 // far beyond any latency here: this one is lost

// A look is one indexed query for all that wait, some 0.3 ms; it adds half of this to a cycle.
const WATCH_EVERY_MS = 5

interface Waiting {
  since: number
  resolve: () => void
  reject: (error: unknown) => void
}

interface Watch {
  until(redemption: string): Promise<void>
  stop(): Promise<void>
}

/**
 * Sees in the contender's database when redemptions are applied. Nobody announces it there, and
 * asking each contender's API for each redemption would load it with nothing but the asking.
 */
function watchApplied(running: Running): Watch {
  const waiting = new Map<string, Waiting>()
  let looking: Promise<void> | null = null

  async function look(): Promise<void> {
    while (waiting.size > 0) {
      const applied = (await running.applied?.([...waiting.keys()])) ?? []
      for (const redemption of applied) {
        waiting.get(redemption)?.resolve()
        waiting.delete(redemption)
      }
      const [oldest] = waiting
      if (oldest !== undefined && performance.now() - oldest[1].since > APPLIED_WITHIN_MS) {
        throw new Error(`${oldest[0]} was never applied`)
      }
      await delay(WATCH_EVERY_MS)
    }
  }

  function failAll(error: unknown): void {
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }

  return {
    until: (redemption) =>
      new Promise((resolve, reject) => {
        waiting.set(redemption, { since: performance.now(), resolve, reject })
        looking ??= look()
          .catch(failAll)
          .finally(() => {
            looking = null
          })
      }),
    stop: async () => {
      waiting.clear()
      await looking
    },
  }
}

import { LRUCache } from 'lru-cache'
import { failuresCount } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import { type Refusal, Refused } from '../domain/refusal.ts'

const WINDOW_MS = 60_000
// Misread codes of a busy chain stay below; trying numbers out does not get far.
const MOST_FAILED = 60
const MOST_KEYS = 10_000 // remembered as spent: of more, each costs one more failure to know again

/** What failed lately, counted in the database: of all processes together. */
export type FailedAttempts = {
  /**
   * Runs `attempt`, which is undefined where it failed. Refuses with too_many_requests, without
   * running it, once this process knows that `key` has failed too often within a minute, which it
   * does from the first failure beyond; of many under way at once those that fail beyond that are
   * refused too. One that succeeds asks the database nothing.
   */
  make<T>(key: string, attempt: () => Promise<T | undefined>): Promise<T | undefined>
  /** The same for an attempt that throws: what `isMiss` says of its refusal counts. */
  tryOut<T>(
    key: string,
    isMiss: (refusal: Refusal) => boolean,
    attempt: () => Promise<T>,
  ): Promise<T>
}

/** How users are guessed, by an id of theirs: counted together, wherever it is tried. */
export const byUserId = (caller: string) => `${caller} id`

/** Counts failures by key; who succeeds is not counted. */
export function failedAttempts(pool: Pool, most: number = MOST_FAILED): FailedAttempts {
  /** Until when, in milliseconds. */
  const spent = new LRUCache<string, number>({ max: MOST_KEYS })
  const refuseSpent = (key: string) => {
    const untilMs = spent.get(key)
    if (untilMs !== undefined && untilMs > Date.now()) tooManyFailed(untilMs)
  }
  const count = async (key: string) => {
    const [counted] = await failuresCount(pool, { key, windowMs: WINDOW_MS, at: new Date() })
    if (counted === undefined || counted.failures < most) return
    const untilMs = counted.ends_at.getTime()
    spent.set(key, untilMs)
    if (counted.failures > most) tooManyFailed(untilMs)
  }
  return {
    async make(key, attempt) {
      refuseSpent(key)
      const found = await attempt()
      if (found === undefined) await count(key)
      return found
    },
    async tryOut(key, isMiss, attempt) {
      refuseSpent(key)
      try {
        return await attempt()
      } catch (error) {
        if (error instanceof Refused && isMiss(error.refusal)) await count(key)
        throw error
      }
    },
  }
}

function tooManyFailed(untilMs: number): never {
  throw new Refused({
    code: 'too_many_requests',
    message: 'Too many of these found nothing. Wait a minute.',
    fields: { retry_after: Math.max(1, Math.ceil((untilMs - Date.now()) / 1_000)) },
  })
}

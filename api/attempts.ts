import { MemoryStore, rateLimit } from 'express-rate-limit'
import { Refused } from '../domain/refusal.ts'

const WINDOW_MS = 60_000
// Misread codes of a busy chain stay below; trying numbers out does not get far.
const MOST_FAILED = 60

/** What failed lately, counted in this process. */
export type Attempts = {
  /**
   * Runs `attempt`, which is undefined where it failed. Refuses with too_many_requests, without
   * running it, once `key` has failed too often within a minute; of many under way at once those
   * that fail beyond that are refused too.
   */
  make<T>(key: string, attempt: () => Promise<T | undefined>): Promise<T | undefined>
}

/** Counts failures by key; who succeeds is not counted. */
export function failedAttempts(most: number = MOST_FAILED): Attempts {
  const store = new MemoryStore()
  rateLimit({ windowMs: WINDOW_MS, store }) // starts the store's clock
  return {
    async make(key, attempt) {
      const before = await store.get(key)
      if (before !== undefined && before.totalHits >= most) return tooMany()
      const found = await attempt()
      if (found !== undefined) return found
      const { totalHits } = await store.increment(key)
      return totalHits > most ? tooMany() : undefined
    },
  }
}

function tooMany(): never {
  throw new Refused({
    code: 'too_many_requests',
    message: 'Too many look-ups found nobody. Wait a minute.',
  })
}

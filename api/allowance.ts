import { MemoryStore, rateLimit } from 'express-rate-limit'
import { Refused } from '../domain/refusal.ts'

const WINDOW_MS = 60_000

/** How often something may be asked of the same thing, counted in this process. */
export type Allowance = {
  /** Counts one more for `key`; refuses with too_many_requests beyond the most of a minute. */
  take(key: string): Promise<void>
}

/** At most `most` a minute and key. */
export function allowance(most: number): Allowance {
  const store = new MemoryStore()
  rateLimit({ windowMs: WINDOW_MS, store }) // starts the store's clock
  return {
    async take(key) {
      const { totalHits } = await store.increment(key)
      if (totalHits <= most) return
      throw new Refused({
        code: 'too_many_requests',
        message: `This was asked more than ${most} times within a minute.`,
      })
    },
  }
}

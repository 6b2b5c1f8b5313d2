import { MemoryStore, rateLimit } from 'express-rate-limit'
import { type Refusal, Refused } from '../domain/refusal.ts'

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
export function failedAttempts(most: number = MOST_FAILED): Attempts {
  const store = new MemoryStore()
  rateLimit({ windowMs: WINDOW_MS, store }) // starts the store's clock
  const refuseSpent = async (key: string) => {
    const before = await store.get(key)
    if (before !== undefined && before.totalHits >= most) tooMany()
  }
  const count = async (key: string) => {
    const { totalHits } = await store.increment(key)
    if (totalHits > most) tooMany()
  }
  return {
    async make(key, attempt) {
      await refuseSpent(key)
      const found = await attempt()
      if (found === undefined) await count(key)
      return found
    },
    async tryOut(key, isMiss, attempt) {
      await refuseSpent(key)
      try {
        return await attempt()
      } catch (error) {
        if (error instanceof Refused && isMiss(error.refusal)) await count(key)
        throw error
      }
    },
  }
}

function tooMany(): never {
  throw new Refused({
    code: 'too_many_requests',
    message: 'Too many of these found nothing. Wait a minute.',
  })
}

import { LRUCache } from 'lru-cache'

type TtlCache<T> = {
  (key: string): Promise<T>
  /** Is asked for anew from now on. */
  forget(key: string): void
}

/**
 * The same answer for `ttlMs`, asked for once by all who want it at the same
 * time; a failure is not remembered. At most `most` keys, the least used go first.
 */
export function ttlCache<T>(
  ask: (key: string) => Promise<T>,
  { ttlMs, most, now = Date.now }: { ttlMs: number; most: number; now?: () => number },
): TtlCache<T> {
  // Promises are kept, not answers: the cache's own `fetch` would refuse those who wait for what is forgotten.
  const kept = new LRUCache<string, Promise<T>>({
    max: most,
    ttl: ttlMs,
    ttlResolution: 0, // its clock is ours, read anew each time
    perf: { now },
  })
  const recall = (key: string) => {
    const known = kept.get(key)
    if (known !== undefined) return known
    const asked = ask(key)
    kept.set(key, asked)
    asked.catch(() => {
      if (kept.peek(key, { allowStale: true }) === asked) kept.delete(key)
    })
    return asked
  }
  return Object.assign(recall, { forget: (key: string) => void kept.delete(key) })
}

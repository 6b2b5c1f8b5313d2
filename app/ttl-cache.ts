type Entry<T> = { readonly value: Promise<T>; readonly until: number }

export type TtlCache<T> = {
  (key: string): Promise<T>
  /** Is asked for anew from now on. */
  forget(key: string): void
}

/**
 * The same answer for `ttlMs`, asked for once by all who want it at the same
 * time; a failure is not remembered. At most `most` keys, the oldest go first.
 */
export function ttlCache<T>(
  ask: (key: string) => Promise<T>,
  { ttlMs, most, now = Date.now }: { ttlMs: number; most: number; now?: () => number },
): TtlCache<T> {
  const entries = new Map<string, Entry<T>>()
  const recall = (key: string) => {
    const entry = entries.get(key)
    if (entry !== undefined && entry.until > now()) return entry.value
    const value = ask(key)
    entries.delete(key)
    const oldest = entries.size >= most ? entries.keys().next().value : undefined
    if (oldest !== undefined) entries.delete(oldest)
    const asked: Entry<T> = { value, until: now() + ttlMs }
    entries.set(key, asked)
    value.catch(() => {
      if (entries.get(key) === asked) entries.delete(key)
    })
    return value
  }
  return Object.assign(recall, { forget: (key: string) => void entries.delete(key) })
}

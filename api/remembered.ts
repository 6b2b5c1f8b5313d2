type Entry<T> = { readonly value: Promise<T>; readonly until: number }

/**
 * The same answer for `ttlMs`, asked for once by all who want it at the same
 * time; a failure is not remembered. At most `most` keys, the oldest go first.
 */
export function remembered<T>(
  ask: (key: string) => Promise<T>,
  { ttlMs, most, now = Date.now }: { ttlMs: number; most: number; now?: () => number },
): (key: string) => Promise<T> {
  const entries = new Map<string, Entry<T>>()
  return (key) => {
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
}

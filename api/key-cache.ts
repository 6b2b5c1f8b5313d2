import type { ApiKey, FindKey } from './auth.ts'

const KNOWN_MS = 5_000 // a revoked key works at most this much longer
const UNKNOWN_MS = 1_000 // a key made just now is seen after at most this
const MOST = 10_000 // entries of each kind, some 2 MB: guessing keys must not fill the memory

type Entry = { readonly key: ApiKey | undefined; readonly until: number }

export type KeyCache = {
  /** What is known now, without asking the database; undefined: not known. */
  peek(hash: string): Entry | undefined
  /** Asks the database, once for all who ask at the same time. */
  find(hash: string): Promise<ApiKey | undefined>
}

/**
 * Remembers for seconds who a key belongs to. Unknown keys are remembered
 * apart, so that a flood of them cannot push out the good ones.
 */
export function keyCache(findKey: FindKey, now: () => number = Date.now): KeyCache {
  const known = new Map<string, Entry>()
  const unknown = new Map<string, Entry>()
  const asked = new Map<string, Promise<ApiKey | undefined>>()

  const peek = (hash: string): Entry | undefined => {
    const entry = known.get(hash) ?? unknown.get(hash)
    return entry !== undefined && entry.until > now() ? entry : undefined
  }

  const ask = async (hash: string): Promise<ApiKey | undefined> => {
    const key = await findKey(hash)
    known.delete(hash)
    unknown.delete(hash)
    const [map, ttl] = key === undefined ? [unknown, UNKNOWN_MS] : [known, KNOWN_MS]
    const oldest = map.size >= MOST ? map.keys().next().value : undefined
    if (oldest !== undefined) map.delete(oldest)
    map.set(hash, { key, until: now() + ttl })
    return key
  }

  const find = (hash: string): Promise<ApiKey | undefined> => {
    const running = asked.get(hash)
    if (running !== undefined) return running
    const asking = ask(hash).finally(() => asked.delete(hash))
    asked.set(hash, asking)
    return asking
  }

  return { peek, find }
}

import { LRUCache } from 'lru-cache'
import { apiKeysUsed } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import type { KeyUse } from '../db/results/api_key.ts'
import type { OnFailure } from '../domain/failure.ts'

const MINUTE_MS = 60_000
const BATCH_MS = 5_000 // one small statement now and then, however many keys are at work
const MOST = 10_000 // keys remembered; of more, some are written twice a minute

/** Notes when each key was used last, to the minute: behind the answers, in batches. */
export class KeyUses {
  readonly #pool: Pool
  readonly #onFailure: OnFailure
  readonly #seen = new LRUCache<string, number>({ max: MOST })
  #waiting = new Map<string, KeyUse>()
  #timer: NodeJS.Timeout | undefined

  constructor({ pool, onFailure }: { pool: Pool; onFailure: OnFailure }) {
    this.#pool = pool
    this.#onFailure = onFailure
  }

  note({ workspace, id }: { workspace: string; id: string }, nowMs = Date.now()): void {
    const key = `${workspace} ${id}`
    const minute = Math.floor(nowMs / MINUTE_MS)
    if (this.#seen.get(key) === minute) return
    this.#seen.set(key, minute)
    const at = new Date(minute * MINUTE_MS).toISOString()
    this.#waiting.set(key, { workspace, id, at })
    this.#timer ??= setTimeout(() => void this.flush(), BATCH_MS).unref()
  }

  /** Writes what waits. What cannot be written is reported and let go: the next minute's use says it anew. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const uses = [...this.#waiting.values()]
    this.#waiting = new Map()
    if (uses.length === 0) return
    try {
      await apiKeysUsed(this.#pool, { used: uses })
    } catch (error) {
      this.#onFailure({ kind: 'key_uses', error })
    }
  }
}

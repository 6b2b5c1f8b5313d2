import { LRUCache } from 'lru-cache'
import { apiKeysUsed, sessionsSeen } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import type { KeyUse } from '../db/results/api_key.ts'
import type { SessionUse } from '../db/results/team_member.ts'
import type { OnFailure } from '../domain/failure.ts'

const MINUTE_MS = 60_000
const BATCH_MS = 5_000 // one small statement now and then, however many keys are at work
const MOST = 10_000 // callers remembered; of more, some are written twice a minute

type Used = { type: 'api_key'; workspace: string; id: string } | { type: 'user'; session: string }

/** Notes when each key and each session was used last, to the minute: behind the answers, in batches. */
export class CallerUses {
  readonly #pool: Pool
  readonly #onFailure: OnFailure
  readonly #seen = new LRUCache<string, number>({ max: MOST })
  #keys = new Map<string, KeyUse>()
  #sessions = new Map<string, SessionUse>()
  #timer: NodeJS.Timeout | undefined

  constructor({ pool, onFailure }: { pool: Pool; onFailure: OnFailure }) {
    this.#pool = pool
    this.#onFailure = onFailure
  }

  note(used: Used, nowMs = Date.now()): void {
    const key = used.type === 'user' ? used.session : `${used.workspace} ${used.id}`
    const minute = Math.floor(nowMs / MINUTE_MS)
    if (this.#seen.get(key) === minute) return
    this.#seen.set(key, minute)
    const at = new Date(minute * MINUTE_MS).toISOString()
    if (used.type === 'user') this.#sessions.set(key, { id: used.session, at })
    else this.#keys.set(key, { workspace: used.workspace, id: used.id, at })
    this.#timer ??= setTimeout(() => void this.flush(), BATCH_MS).unref()
  }

  /** Writes what waits. What cannot be written is reported and let go: the next minute's use says it anew. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const [keys, sessions] = [[...this.#keys.values()], [...this.#sessions.values()]]
    this.#keys = new Map()
    this.#sessions = new Map()
    try {
      if (keys.length > 0) await apiKeysUsed(this.#pool, { used: keys })
      if (sessions.length > 0) await sessionsSeen(this.#pool, { used: sessions })
    } catch (error) {
      this.#onFailure({ kind: 'caller_uses', error })
    }
  }
}

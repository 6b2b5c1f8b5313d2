import { deleteSent, type OutboxRow } from '../db/outbox.ts'
import type { Pool } from '../db/pool.ts'

// What is sent within this is deleted by one statement; under load the one before takes longer.
const GATHER_MS = 100
const AT_ONCE = 500

/** Deletes rows that were sent, many at a time. */
export class SentRows {
  readonly #pool: Pool
  readonly #onError: (error: unknown) => void
  #rows: OutboxRow[] = []
  #timer: NodeJS.Timeout | undefined
  #deleting: Promise<void> | undefined

  /** `onError`: these rows stay, and are sent again by the sweep, which changes nothing. */
  constructor(pool: Pool, onError: (error: unknown) => void) {
    this.#pool = pool
    this.#onError = onError
  }

  add(row: OutboxRow): void {
    this.#rows.push(row)
    this.#plan()
  }

  /** Resolves when all that was added is deleted, or said to `onError`. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#deleting
    while (this.#rows.length > 0) await this.#delete()
  }

  #plan(): void {
    if (this.#deleting !== undefined || this.#rows.length === 0) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#deleting = this.#delete().finally(() => {
        this.#deleting = undefined
        this.#plan()
      })
    }, GATHER_MS)
  }

  async #delete(): Promise<void> {
    try {
      await deleteSent(this.#pool, this.#rows.splice(0, AT_ONCE))
    } catch (error) {
      this.#onError(error)
    }
  }
}

import { Counter, type Registry } from 'prom-client'
import { requestPartitionsCreate } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import { lacksPartition, type RequestRecord, writeRequests } from '../db/requests.ts'
import type { OnFailure } from '../domain/failure.ts'
import { isUnavailable } from '../domain/unavailable.ts'

const EVERY_MS = 500 // who dies loses at most a second: this, and the write
const AFTER_FAILURE_MS = 1_000
const BATCH = 500
// Some seconds of a busy process, and never more than this of its memory, however long the database is away.
const MOST_RECORDS = 10_000
const MOST_CHARACTERS = 8_000_000
const LONGEST_RECORD = 12_000 // with a longer body it is written down without
const CLOSE_MS = 3_000 // of the ten that a container gets

type RequestLogOptions = {
  readonly pool: Pool
  readonly registry: Registry
  readonly onFailure: OnFailure
}

/**
 * Writes requests down behind their answers: a buffer of this process, and one statement for all that came in
 * half a second. Nobody waits for it, and it never throws; what it has no place for is dropped and counted.
 */
export class RequestLog {
  readonly #pool: Pool
  readonly #onFailure: OnFailure
  readonly #dropped: Counter
  #records: string[] = []
  #characters = 0
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<boolean> | undefined
  /** Said once, until it answers again. */
  #isAway = false
  #isClosed = false

  constructor({ pool, registry, onFailure }: RequestLogOptions) {
    this.#pool = pool
    this.#onFailure = onFailure
    this.#dropped = new Counter({
      name: 'vinr_requests_dropped_total',
      help: 'Requests that the request log has no row of: its buffer was full, or the database refused them.',
      registers: [registry],
    })
  }

  /** Takes a request that was answered. */
  take(record: RequestRecord): void {
    if (this.#isClosed) return
    const text = textOf(record)
    const isFull =
      this.#records.length >= MOST_RECORDS || this.#characters + text.length > MOST_CHARACTERS
    if (isFull) {
      this.#dropped.inc()
      return
    }
    this.#records.push(text)
    this.#characters += text.length
    this.#plan(EVERY_MS)
  }

  /** Takes no more, and writes for up to 3 s what it has. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    const limit = new Promise<false>((resolve) => setTimeout(resolve, CLOSE_MS, false).unref())
    let goesOn = true
    while (goesOn && (this.#writing !== undefined || this.#records.length > 0)) {
      this.#writing ??= this.#write()
      goesOn = await Promise.race([this.#writing, limit])
    }
    this.#dropped.inc(this.#records.splice(0).length)
  }

  #plan(afterMs: number): void {
    if (this.#isClosed || this.#timer !== undefined || this.#writing !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#writing = this.#write()
    }, afterMs).unref()
  }

  /** Writes one batch, and plans the next; false where the database is away, and the batch waits again. */
  async #write(): Promise<boolean> {
    const batch = this.#records.splice(0, BATCH)
    const isWritten = await this.#insert(batch)
    if (isWritten) this.#characters -= batch.reduce((sum, { length }) => sum + length, 0)
    else this.#records.unshift(...batch)
    this.#writing = undefined
    if (this.#records.length > 0) {
      const isMuch = this.#records.length >= BATCH
      this.#plan(!isWritten ? AFTER_FAILURE_MS : isMuch ? 0 : EVERY_MS)
    }
    return isWritten
  }

  async #insert(batch: readonly string[]): Promise<boolean> {
    try {
      await this.#insertSomeDay(batch)
      this.#isAway = false
      return true
    } catch (error) {
      const isAway = isUnavailable(error)
      if (!isAway || !this.#isAway) this.#onFailure({ kind: 'request_log', error })
      this.#isAway = isAway
      if (isAway) return false
      if (batch.length === 1) this.#dropped.inc()
      else for (const record of batch) await this.#insert([record]) // one that is refused takes no other with it
      return true
    }
  }

  /** The schedule makes each day's partition ahead; where it did not, this does. */
  async #insertSomeDay(batch: readonly string[]): Promise<void> {
    try {
      await writeRequests(this.#pool, batch)
    } catch (error) {
      if (!lacksPartition(error)) throw error
      await requestPartitionsCreate(this.#pool, { at: new Date() })
      await writeRequests(this.#pool, batch)
    }
  }
}

function textOf(record: RequestRecord): string {
  const text = JSON.stringify(record)
  return text.length > LONGEST_RECORD ? JSON.stringify({ ...record, body: undefined }) : text
}

import { type OutboxRow, refuseRow, releaseRows, renewRows } from '../db/outbox.ts'
import type { Pool } from '../db/pool.ts'
import type { OnFailure } from '../domain/failure.ts'
import { type Breaker, connectionFailure, reportingBreaker } from './breaker.ts'
import { type Engine, within } from './engine.ts'
import { sendRow } from './outbox-call.ts'
import { keyOf, OutboxQueue, type QueueEntry, Room } from './outbox-queue.ts'
import { SentRows } from './outbox-sent.ts'

// While requests are in flight: the cores are theirs first.
const WHILE_BUSY = 1
const WHILE_BUSY_AND_LATE = 2
const LATE_ROWS = 16
// A burst of some seconds is answered first; a load that lasts longer goes at the pace of its runs.
const TOO_LATE_MS = 5_000
// One of so many places is for the newest; of what is late, the oldest have three of four.
const NEWEST_OF = 2
const NEWEST_OF_LATE = 4
const AT_ONCE = 8
const MOST_HELD = 5_000 // ten seconds of one busy process, some 10 MB; the sweep has the rest at once
const OLD_MS = 5_000 // half of the time that a new row is its writer's
const RENEW_AT_ONCE = 100
const TRIES = 2 // by this process, of a row for which Temporal alone is away; then it waits for the sweep
const CLOSE_MS = 3_000 // of the ten that a container gets
const ERROR_LENGTH = 1_000

export type SenderOptions = {
  pool: Pool
  engine: Engine
  onFailure: OnFailure
  /** Whether this process is answering requests now; then it sends one or two at a time. */
  isBusy?: () => boolean
  /** Calls at once where it is not busy. */
  atOnce?: number
  /** Shared by all that call Temporal in the background. */
  breaker?: Breaker
}

/**
 * Sends outbox rows in the background: half of the places for the newest, the others for the oldest. What it
 * cannot send stays in the table for the sweep.
 */
export class OutboxSender {
  readonly #pool: Pool
  readonly #engine: Engine
  readonly #onFailure: OnFailure
  readonly #isBusy: () => boolean
  readonly #atOnce: number
  readonly #breaker: Breaker
  readonly #sent: SentRows
  readonly #queue = new OutboxQueue()
  readonly #sending = new Map<string, QueueEntry>()
  /** Newer facts of workflows that are being sent older ones. */
  readonly #newer = new Map<string, OutboxRow>()
  #overflow: OutboxRow[] = []
  #releasing: Promise<void> | undefined
  /** Rows are in here while they are read again. */
  readonly #renewing = new Set<Promise<void>>()
  #calls = 0
  #isPlanned = false
  #turns = 0
  readonly #room = new Room()
  #state: 'open' | 'closing' | 'closed' = 'open'
  #onIdle = () => {}

  constructor({ pool, engine, onFailure, ...options }: SenderOptions) {
    this.#pool = pool
    this.#engine = engine
    this.#onFailure = onFailure
    this.#isBusy = options.isBusy ?? (() => false)
    this.#atOnce = options.atOnce ?? AT_ONCE
    this.#breaker = options.breaker ?? reportingBreaker(onFailure)
    this.#breaker.whenCallable(() => this.#plan())
    this.#sent = new SentRows(pool, (error) => onFailure({ kind: 'outbox_delete', error }))
  }

  /** Rows that wait or are being sent. */
  get size(): number {
    return this.#queue.size + this.#calls
  }

  /** Takes rows that this process has just committed or claimed; returns at once and never throws. */
  take(rows: readonly OutboxRow[]): void {
    if (this.#state !== 'open') return
    for (const row of rows) {
      const key = keyOf(row)
      if (this.#sending.has(key)) this.#newer.set(key, row)
      else if (this.#queue.has(row) || this.#queue.size < MOST_HELD) {
        this.#queue.add(row, performance.now())
      } else this.#overflow.push(row)
    }
    if (this.#overflow.length > 0) this.#releasing ??= this.#release()
    if (this.#queue.size > 0) this.#plan()
  }

  /**
   * Undefined while this process keeps up with what it writes, or Temporal is away. Else resolves when one more
   * row was sent, at most after 200 ms: a write that begins then leaves no more to be sent than there was.
   */
  room(): Promise<void> | undefined {
    if (this.#breaker.isOpen || !this.#isLate()) return undefined
    return this.#room.wait()
  }

  /** Takes no more, sends for up to 3 s, and makes the rest due for the sweep. */
  async close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
      setTimeout(resolve, CLOSE_MS).unref()
      this.#plan()
    })
    this.#state = 'closed'
    await Promise.all([this.#releasing, ...this.#renewing])
    const rest = [...this.#queue.takeAll(), ...this.#sending.values()].map(({ row }) => row)
    this.#overflow.push(...rest, ...this.#newer.values())
    await this.#release()
    await this.#sent.flush()
  }

  /** Goes on once what is under way is done: an answer is written before its row is sent. */
  #plan(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    setImmediate(() => this.#goOn())
  }

  #goOn(): void {
    this.#isPlanned = false
    const queue = this.#queue
    while (this.#state !== 'closed' && queue.size > 0) {
      if (!this.#breaker.mayBegin(this.#calls, this.#wanted())) break
      const newestOf = this.#isLate() ? NEWEST_OF_LATE : NEWEST_OF
      const entry = this.#turns++ % newestOf === 0 ? queue.takeNewest() : queue.takeOldest()
      if (entry !== undefined) void this.#work(entry)
    }
    if (this.#calls === 0 && (queue.size === 0 || this.#breaker.isOpen)) this.#onIdle()
  }

  #wanted(): number {
    if (this.#state === 'closing' || !this.#isBusy()) return this.#atOnce
    if (this.#queue.size <= LATE_ROWS) return WHILE_BUSY
    return this.#isLate() ? this.#atOnce : WHILE_BUSY_AND_LATE
  }

  #isLate(): boolean {
    const { size, oldestMs } = this.#queue
    return size > LATE_ROWS && performance.now() - (oldestMs ?? Infinity) > TOO_LATE_MS
  }

  async #work(entry: QueueEntry): Promise<void> {
    this.#calls++
    if (performance.now() - entry.readMs > OLD_MS) {
      const renewing = this.#renew(entry)
      this.#renewing.add(renewing)
      await renewing
      this.#renewing.delete(renewing)
    } else await this.#send(entry)
    this.#calls--
    this.#plan()
  }

  async #send(entry: QueueEntry): Promise<void> {
    const { row, readMs } = entry
    const key = keyOf(row)
    this.#sending.set(key, entry)
    try {
      const startInMs = Math.max(0, row.start_in_ms - (performance.now() - readMs))
      await within(this.#engine, () => sendRow(this.#engine, row, startInMs))
      this.#breaker.answered()
      if (this.#state !== 'closed') this.#sent.add(row)
    } catch (error) {
      await this.#settle(entry, error)
    }
    this.#sending.delete(key)
    this.#room.make()
    const newer = this.#newer.get(key)
    if (newer === undefined) return
    this.#newer.delete(key)
    this.#queue.add(newer, performance.now())
  }

  /** Temporal away is nothing of the row's; a refusal of the call itself is. */
  async #settle(entry: QueueEntry, error: unknown): Promise<void> {
    const { row } = entry
    const failure = connectionFailure(error)
    if (failure !== undefined) {
      if (this.#breaker.failed(failure, error)) entry.failures++
      if (entry.failures < TRIES) this.#queue.putBack(entry)
      return
    }
    this.#breaker.answered()
    const about = { workspace: row.workspace, workflow: row.workflow_id }
    this.#onFailure({ kind: 'outbox', error, about })
    try {
      await refuseRow(this.#pool, row, messageOf(error))
    } catch (cause) {
      this.#onFailure({ kind: 'outbox_refuse', error: cause, about }) // refused again by the sweep's call
    }
  }

  /** Reads this and others held as long again, and goes on with those that are still this process's. */
  async #renew(entry: QueueEntry): Promise<void> {
    const old = this.#queue.takeReadBefore(performance.now() - OLD_MS, RENEW_AT_ONCE - 1)
    const rows = [entry, ...old].map(({ row }) => row)
    try {
      const renewed = await renewRows(this.#pool, rows)
      const readMs = performance.now()
      const { sinceMs } = entry // the others wait about as long
      for (const row of renewed.reverse())
        this.#queue.putBack({ row, readMs, sinceMs, failures: 0 })
    } catch (error) {
      this.#onFailure({ kind: 'outbox_read', error }) // they are the sweep's once their time is over
    }
    this.#breaker.giveBack()
  }

  async #release(): Promise<void> {
    while (this.#overflow.length > 0) {
      try {
        await releaseRows(this.#pool, this.#overflow.splice(0))
      } catch (error) {
        this.#onFailure({ kind: 'outbox_release', error }) // due ten seconds after they were written
      }
    }
    this.#releasing = undefined
  }
}

const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error).slice(0, ERROR_LENGTH)
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return `${error.message}${cause}`.slice(0, ERROR_LENGTH)
}

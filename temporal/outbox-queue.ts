import type { OutboxRow } from '../db/outbox.ts'

/** A row that this process holds. */
export type QueueEntry = {
  row: OutboxRow
  /** Since when (of `performance.now()`) it has these facts. */
  readMs: number
  /** Since when (of `performance.now()`) its workflow waits for a call of this process. */
  sinceMs: number
  /** Calls for it that found Temporal away, as the first to do so. */
  failures: number
}

const COMPACT_AT = 1_024 // places of rows that are gone; below, moving the rest costs more than they do

/** Rows that wait to be sent, each workflow once, taken from either end. */
export class OutboxQueue {
  #rows: QueueEntry[] = []
  /** Before it all are gone. */
  #first = 0
  readonly #byKey = new Map<string, QueueEntry>()

  get size(): number {
    return this.#rows.length - this.#first
  }

  /** Since when (of `performance.now()`) the one at the old end waits; undefined where none does. */
  get oldestMs(): number | undefined {
    return this.#rows[this.#first]?.sinceMs
  }

  has(row: OutboxRow): boolean {
    return this.#byKey.has(keyOf(row))
  }

  /** Adds the newest. Where its workflow waits already, that one has these facts from now on. */
  add(row: OutboxRow, nowMs: number): void {
    const key = keyOf(row)
    const known = this.#byKey.get(key)
    if (known !== undefined) {
      if (row.revision > known.row.revision) Object.assign(known, { row, readMs: nowMs })
      return
    }
    const entry = { row, readMs: nowMs, sinceMs: nowMs, failures: 0 }
    this.#rows.push(entry)
    this.#byKey.set(key, entry)
  }

  /** Puts one back to where it is taken first as the oldest, unless something newer waits of its workflow. */
  putBack(entry: QueueEntry): void {
    const key = keyOf(entry.row)
    if (this.#byKey.has(key)) return
    this.#byKey.set(key, entry)
    if (this.#first > 0) this.#rows[--this.#first] = entry
    else this.#rows.unshift(entry)
  }

  takeOldest(): QueueEntry | undefined {
    const entry = this.#rows[this.#first]
    if (entry === undefined) return undefined
    this.#first++
    if (this.#first >= COMPACT_AT && this.#first * 2 > this.#rows.length) {
      this.#rows = this.#rows.slice(this.#first)
      this.#first = 0
    }
    this.#byKey.delete(keyOf(entry.row))
    return entry
  }

  takeNewest(): QueueEntry | undefined {
    if (this.size === 0) return undefined
    const entry = this.#rows.pop()
    if (entry !== undefined) this.#byKey.delete(keyOf(entry.row))
    return entry
  }

  /** Up to `most` whose facts are from before `beforeMs`, of those at the old end. */
  takeReadBefore(beforeMs: number, most: number): QueueEntry[] {
    const taken: QueueEntry[] = []
    while (taken.length < most && this.#isReadBefore(beforeMs)) {
      const entry = this.takeOldest()
      if (entry !== undefined) taken.push(entry)
    }
    return taken
  }

  takeAll(): QueueEntry[] {
    const all = this.#rows.slice(this.#first)
    this.#rows = []
    this.#first = 0
    this.#byKey.clear()
    return all
  }

  #isReadBefore(beforeMs: number): boolean {
    const oldest = this.#rows[this.#first]
    return oldest !== undefined && oldest.readMs < beforeMs
  }
}

/** Names the workflow of a row. */
export const keyOf = ({ workspace, workflow_id }: OutboxRow): string =>
  `${workspace} ${workflow_id}`

const WITHIN_MS = 200 // sixteen in flight still make eighty a second, whatever Temporal does

/** Where writes wait, one after the other, until a row was sent. */
export class Room {
  readonly #waiting = new Set<() => void>()

  /** Resolves at its turn of `make`, at most after 200 ms. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      const goOn = () => {
        clearTimeout(timer)
        this.#waiting.delete(goOn)
        resolve()
      }
      const timer = setTimeout(goOn, WITHIN_MS)
      this.#waiting.add(goOn)
    })
  }

  /** For the one that has waited the longest. */
  make(): void {
    const [first] = this.#waiting
    first?.()
  }
}

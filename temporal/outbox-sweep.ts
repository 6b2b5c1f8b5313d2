import { SweepConnection } from '../db/outbox.ts'
import type { Pool } from '../db/pool.ts'
import type { OnFailure } from '../domain/failure.ts'
import type { Breaker } from './breaker.ts'
import type { OutboxSender } from './outbox-sender.ts'

const CHECK_EVERY_MS = 1_000
const CLAIM = 50
// After an outage: Temporal's starts for whoever is a customer now come first. A million take 83 minutes.
const PER_SECOND = 200
const FULL_MS = 50 // until the sender has room again

type SweepOptions = {
  pool: Pool
  sender: OutboxSender
  breaker: Breaker
  onFailure: OnFailure
  /** Rows claimed a second at most. */
  perSecond?: number
  /** How often it checks while nothing is due. */
  checkEveryMs?: number
}

/**
 * Sends outbox rows that the process which wrote them did not: one sweep at a time, however many processes
 * have one. It claims a few rows in one short statement and hands them to the sender, which holds no lock
 * while it calls Temporal; what a killed sweep had claimed is due again after half a minute.
 */
export class OutboxSweep {
  readonly #options: Required<SweepOptions>
  #connection: SweepConnection | undefined
  #isReported = false
  #isClosed = false
  #endWait = () => {}
  #running: Promise<void> = Promise.resolve()

  constructor(options: SweepOptions) {
    this.#options = { perSecond: PER_SECOND, checkEveryMs: CHECK_EVERY_MS, ...options }
  }

  start(): void {
    this.#running = this.#run()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#endWait()
    await this.#running
    await this.#disconnect()
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const waitMs = await this.#sweep()
      if (this.#isClosed) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs)
        this.#endWait = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** Returns how many milliseconds until the next sweep. */
  async #sweep(): Promise<number> {
    const { onFailure, checkEveryMs } = this.#options
    try {
      this.#connection ??= await SweepConnection.open(this.#options.pool, () => {
        this.#connection = undefined
      })
      const waitMs = (await this.#connection.leads())
        ? await this.#claim(this.#connection)
        : checkEveryMs
      this.#isReported = false
      return waitMs
    } catch (error) {
      if (!this.#isReported) onFailure({ kind: 'outbox_sweep', error }) // once, not every second
      this.#isReported = true
      await this.#disconnect()
      return checkEveryMs
    }
  }

  /** Claims no more than the sender will send soon, and while Temporal is away one row to ask with. */
  async #claim(connection: SweepConnection): Promise<number> {
    const { sender, breaker, perSecond, checkEveryMs } = this.#options
    if (breaker.isOpen && sender.size > 0) return checkEveryMs
    if (sender.size >= CLAIM) return FULL_MS
    const limit = breaker.isOpen ? 1 : CLAIM
    const rows = await connection.claim(limit)
    sender.take(rows)
    return rows.length === CLAIM ? Math.ceil((CLAIM / perSecond) * 1_000) : checkEveryMs
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    try {
      await connection?.close()
    } catch (error) {
      this.#options.onFailure({ kind: 'outbox_sweep', error })
    }
  }
}

import type { Logger } from 'pino'
import { Gauge, type Registry } from 'prom-client'
import { readOutboxWaiting } from '../db/outbox.ts'
import type { Pool } from '../db/pool.ts'

export const OUTBOX_CAP = 10_000 // counting a million takes a while, and says no more

/** What of the outbox waits, counted when the metrics are read; no number where the database does not say. */
export function outboxMetrics(registry: Registry, pool: Pool, log: Pick<Logger, 'warn'>): void {
  const oldest = new Gauge({
    name: 'vinr_outbox_oldest_seconds',
    help: 'Age of the oldest start or signal that Temporal was not given yet; 0 where none waits.',
    registers: [registry],
  })
  const waiting = new Gauge({
    name: 'vinr_outbox_waiting',
    help: `Starts and signals that Temporal was not given yet, counted up to ${OUTBOX_CAP}.`,
    registers: [registry],
    async collect() {
      try {
        const figures = await readOutboxWaiting(pool, OUTBOX_CAP)
        waiting.set(figures.waiting)
        oldest.set(figures.oldest_seconds ?? 0)
      } catch (error) {
        log.warn({ err: error }, 'the outbox was not counted')
        waiting.set(Number.NaN)
        oldest.set(Number.NaN)
      }
    },
  })
}

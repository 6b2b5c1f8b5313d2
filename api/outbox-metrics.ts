import type { Logger } from 'pino'
import { Gauge, type Registry } from 'prom-client'
import { type OutboxBacklog, readOutboxBacklog } from '../db/outbox.ts'
import type { Pool } from '../db/pool.ts'

export const OUTBOX_CAP = 10_000 // counting a million takes a while, and says no more

/** What of the outbox waits, counted when the metrics are read; no number where the database does not say. */
export function outboxMetrics(registry: Registry, pool: Pool, log: Pick<Logger, 'warn'>): void {
  let reading: Promise<OutboxBacklog | undefined> | undefined
  /** One reading for both. */
  const read = () => {
    reading ??= readOutboxBacklog(pool, OUTBOX_CAP)
      .catch((error: unknown) => {
        log.warn({ err: error }, 'the outbox was not counted')
        return undefined
      })
      .finally(() => {
        reading = undefined
      })
    return reading
  }
  const gauge = (name: string, help: string, of: (backlog: OutboxBacklog) => number) =>
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        async collect() {
          const backlog = await read()
          this.set(backlog === undefined ? Number.NaN : of(backlog))
        },
      }),
    )
  gauge(
    'vinr_outbox_waiting',
    `Starts and signals that Temporal was not given yet, counted up to ${OUTBOX_CAP}.`,
    ({ waiting }) => waiting,
  )
  gauge(
    'vinr_outbox_oldest_seconds',
    'Age of the oldest start or signal that Temporal was not given yet; 0 where none waits.',
    ({ oldest_seconds }) => oldest_seconds ?? 0,
  )
}

import {
  type DeliveryBatch,
  nextDue,
  readEventsToSend,
  restEndpoint,
  takeDeliveries,
} from '../../db/webhook-deliveries.ts'
import { attempt, type DeliveryDependencies, type DeliveryRequest, type Target } from './attempt.ts'
import { createDueWatch } from './due-watch.ts'

// Requests that one endpoint has under way at once. After a failure it is one, until it answers again.
const MOST_PARALLEL = 8
// Deliveries read ahead of the requests, for each of them.
const READ_AHEAD = 4
// Longer than a read-ahead takes against a server that never answers.
const BUSY_MS = 60_000
// Half of the activity's time.
const ROUND_MS = 15 * 60_000
// A run that found nothing watches for so long before it rests: starting its next round costs 10 ms of CPU.
const LINGER_MS = 5_000

/** How a round ended; `nextInMs` is null where nothing is pending. */
export type DeliveryRound = {
  readonly state: 'resting' | 'gone'
  readonly nextInMs: number | null
  readonly nextAt: string | null
}

/** The delivery of webhooks, run by the worker: one run for each endpoint at a time. */
export function deliveries(dependencies: DeliveryDependencies) {
  const { pool } = dependencies
  const watchDue = createDueWatch(pool)

  const bodies = async ({ workspace }: Target, taken: DeliveryBatch & { outcome: 'work' }) => {
    const { livemode, deliveries, url, secrets } = taken
    const ids = deliveries.map(({ event }) => event)
    const events = await readEventsToSend(pool, { workspace, livemode }, ids)
    return deliveries.map((delivery): DeliveryRequest => {
      const body = JSON.stringify(events.get(delivery.event))
      return { delivery, body, url, secrets }
    })
  }

  /** Delivers what is due at one endpoint until nothing is, its time is up, or `stop`. */
  return { deliverRound }

  async function deliverRound(target: Target, stop: AbortSignal): Promise<DeliveryRound> {
    const { workspace, endpoint } = target
    const until = Date.now() + ROUND_MS
    const underway = new Map<string, Promise<void>>()
    const queue: DeliveryRequest[] = []
    let parallel = MOST_PARALLEL
    let broken: Error | undefined

    const begin = (sent: DeliveryRequest) => {
      const done = attempt(dependencies, target, sent)
        .then(({ ok, disabled }) => {
          if (disabled) queue.length = 0
          parallel = ok ? Math.min(MOST_PARALLEL, parallel * 2) : 1
        })
        .catch((error: unknown) => {
          broken ??= error instanceof Error ? error : new Error(String(error))
        })
        .finally(() => underway.delete(sent.delivery.id))
      underway.set(sent.delivery.id, done)
    }
    const finished = async <T>(result: T): Promise<T> => {
      await Promise.all(underway.values())
      if (broken !== undefined) throw broken
      return result
    }

    while (!stop.aborted && broken === undefined && Date.now() < until) {
      if (queue.length === 0 && underway.size < parallel) {
        const taken = await takeDeliveries(
          pool,
          workspace,
          endpoint,
          [...underway.keys()],
          parallel * READ_AHEAD,
          BUSY_MS,
        )
        if (taken.outcome === 'gone')
          return finished({ state: 'gone', nextInMs: null, nextAt: null })
        if (taken.deliveries.length > 0) queue.push(...(await bodies(target, taken)))
      }
      for (const sent of queue.splice(0, parallel - underway.size)) begin(sent)
      if (underway.size >= parallel) {
        await Promise.race(underway.values())
        continue
      }
      // While there is room for more, a slow answer keeps nobody waiting.
      const watch = watchDue(workspace, { endpoint, underway: [...underway.keys()] }, LINGER_MS)
      const isBusy = underway.size > 0
      const isDue = await Promise.race([...underway.values(), watch.due])
      watch.giveUp()
      if (isBusy || isDue) continue
      await restEndpoint(pool, workspace, endpoint)
      const next = await nextDue(pool, workspace, endpoint)
      if (!next.due) return finished({ state: 'resting', nextInMs: next.in_ms, nextAt: next.at })
    }
    await restEndpoint(pool, workspace, endpoint)
    return finished({ state: 'resting', nextInMs: 0, nextAt: null })
  }
}

import {
  webhookDue,
  webhookNextDue,
  webhookRest,
  webhookSettle,
  webhookTake,
} from '../../db/ledger.gen.ts'
import type { Pool } from '../../db/pool.ts'
import type { DeliveryBatch, DueDelivery, EndpointUnderway } from '../../db/results/webhook.ts'
import { readEventsToSend } from '../../db/webhook-deliveries.ts'
import {
  FAILING_FOR_MS,
  retryAfterMs,
  retryDelayMs,
  signatureHeaders,
} from '../../domain/webhook-delivery.ts'
import type { Send } from './send.ts'

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
        const taken = await webhookTake(pool, {
          ...target,
          taken: [...underway.keys()],
          limit: parallel * READ_AHEAD,
          busyMs: BUSY_MS,
        })
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
      await webhookRest(pool, target)
      const next = await webhookNextDue(pool, target)
      if (!next.due) return finished({ state: 'resting', nextInMs: next.in_ms, nextAt: next.at })
    }
    await webhookRest(pool, target)
    return finished({ state: 'resting', nextInMs: 0, nextAt: null })
  }
}

export type DeliveryDependencies = { readonly pool: Pool; readonly send: Send }
export type Target = { workspace: string; endpoint: string }
/** A delivery with everything that its request needs. */
type DeliveryRequest = {
  delivery: DueDelivery
  body: string
  url: string
  secrets: string[]
}

/** One try of one delivery, settled in its row; says whether it was taken, and whether that disabled the endpoint. */
async function attempt(
  { pool, send }: DeliveryDependencies,
  target: Target,
  { delivery, body, url, secrets }: DeliveryRequest,
): Promise<{ ok: boolean; disabled: boolean }> {
  const startedMs = Date.now()
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'vinr-webhooks/1',
    ...signatureHeaders(secrets, delivery.event, Math.floor(startedMs / 1_000), body),
  }
  const answer = await send(url, headers, body).catch((error: unknown) => ({
    error: error instanceof Error ? error.message : String(error),
  }))
  const nowMs = Date.now()
  const number = delivery.attempt + 1
  const ok = 'status' in answer && answer.status >= 200 && answer.status < 300
  const patience = 'status' in answer ? retryAfterMs(answer.retryAfter, nowMs) : null
  const { disabled } = await webhookSettle(pool, {
    ...target,
    delivery: delivery.id,
    attempt: number,
    try: {
      at: new Date(startedMs).toISOString(),
      url,
      duration_ms: nowMs - startedMs,
      ...('status' in answer
        ? { response_status: answer.status, response_body: answer.body }
        : { error: answer.error }),
    },
    ok,
    gone: 'status' in answer && answer.status === 410,
    retryMs: ok ? null : retryDelayMs(number, patience, Math.random()),
    failingMs: FAILING_FOR_MS,
  })
  return { ok, disabled }
}

// How often a workspace is asked for all of its endpoints at work: the most that this adds to a delivery.
const EVERY_MS = 25

type Waiter = { atWork: EndpointUnderway; found: (due: boolean) => void }

type Watch = {
  /** True once something is due at the endpoint, false once `forMs` are over or it is given up. */
  readonly due: Promise<boolean>
  giveUp(): void
}
type WatchDue = (workspace: string, atWork: EndpointUnderway, forMs: number) => Watch

/**
 * One question to the database for all endpoints of a workspace that are at work, so that a steady
 * flow of events signals no workflow, however many endpoints want them.
 */
function createDueWatch(pool: Pool): WatchDue {
  const waiting = new Map<string, Set<Waiter>>()

  const check = async (workspace: string, waiters: Set<Waiter>): Promise<void> => {
    while (waiters.size > 0) {
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
      const now = [...waiters]
      const atWork = now.map((waiter) => waiter.atWork)
      // Where the database does not answer each run finds out by itself.
      const due = await webhookDue(pool, { workspace, asked: atWork }).catch(() => null)
      for (const waiter of now) {
        if (due === null || due.includes(waiter.atWork.endpoint)) waiter.found(true)
      }
    }
    waiting.delete(workspace)
  }

  return (workspace, atWork, forMs) => {
    const waiters = waiting.get(workspace) ?? new Set<Waiter>()
    let giveUp = () => {}
    const due = new Promise<boolean>((resolve) => {
      const limit = setTimeout(() => waiter.found(false), forMs)
      const waiter: Waiter = {
        atWork,
        found: (isDue) => {
          clearTimeout(limit)
          waiters.delete(waiter)
          resolve(isDue)
        },
      }
      giveUp = () => waiter.found(false)
      waiters.add(waiter)
    })
    if (!waiting.has(workspace)) {
      waiting.set(workspace, waiters)
      void check(workspace, waiters)
    }
    return { due, giveUp: () => giveUp() }
  }
}

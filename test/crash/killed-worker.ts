import { randomInt } from 'node:crypto'
import { expect } from 'vitest'
import { Processes } from '../support/processes.ts'
import { openReceiver } from '../webhooks/receiver.ts'

/** What there was to be seen: deliveries that came again, and how long it took from the first event on. */
export type Outcome = { repeats: number; seconds: number }

const LONGEST_MS = 1_800_000 // 100,000 events on two busy cores, with room

/**
 * Writes so many events for one endpoint, kills the worker so often while it delivers them (at a
 * moment of its own between two even steps, with deliveries under way), and holds that each event
 * arrived and that the books say so.
 */
export async function deliverAndKill(events: number, kills: number): Promise<Outcome> {
  process.env.WEBHOOK_ALLOWED_ADDRESSES = '127.0.0.1'
  const all = await Processes.start()
  const receiver = await openReceiver()
  try {
    const made = await all.request('POST', '/v1/webhook_endpoints', {
      url: receiver.url,
      enabled_events: ['loyalty.points.earned'],
    })
    expect(made.status).toBe(201)
    // The books leave out ten seconds after a subscription's begin; there are no events before this one's.
    await all.owner.query(
      `update webhook_endpoint set subscribed_since = subscribed_since - interval '10 s'`,
    )
    const startedMs = Date.now()
    await writeEvents(all, events)
    const step = Math.floor(events / (kills + 1))
    for (let kill = 1; kill <= kills; kill++) {
      await receiver.until(step * kill + randomInt(Math.ceil(step / 2)))
      await all.kill('worker')
      await all.startWorker()
    }
    await expect.poll(() => pending(all), { timeout: LONGEST_MS, interval: 1_000 }).toBe(0)
    const arrived = new Set(receiver.received.map(({ headers }) => headers['webhook-id']))
    const { rows } = await all.owner.query<{ id: string }>(
      `select e.id from event e join ptx t on t.workspace = e.workspace and t.id = e.object
       where e.workspace = $1 and t.reason = 'many'`,
      [all.workspace],
    )
    expect(rows).toHaveLength(events)
    expect(rows.filter(({ id }) => !arrived.has(id))).toEqual([])
    expect(await all.reconcile()).toEqual([])
    return {
      repeats: receiver.received.length - arrived.size,
      seconds: Math.round((Date.now() - startedMs) / 1_000),
    }
  } finally {
    await receiver.close()
    await all.stop()
  }
}

const CHUNK = 5_000 // a transaction's worth: deliveries begin while the rest is still written

async function writeEvents(all: Processes, events: number): Promise<void> {
  for (let first = 1; first <= events; first += CHUNK) {
    await all.owner.query(
      `select ledger.points_post($1, 'loy_abc123', 'adjust', 1, 'many', 'many:' || n, '', now(), null, null, null, '{}', false)
       from generate_series($2::int, $3::int) n`,
      [all.workspace, first, Math.min(first + CHUNK - 1, events)],
    )
    if (first > 1) continue
    // Any commit of the API's wakes the endpoint.
    await all.request('POST', '/v1/loyalty/accounts', {})
  }
}

async function pending(all: Processes): Promise<number> {
  const { rows } = await all.owner.query<{ n: number }>(
    `select count(*)::int as n from webhook_delivery where status = 'pending'`,
  )
  return rows[0]?.n ?? 0
}

import { setTimeout as delay } from 'node:timers/promises'
import {
  resignalApprovals,
  resignalBulks,
  resignalEndpoints,
  resignalErasures,
  resignalExpiries,
  resignalPayments,
  resignalReassessments,
  resignalRedemptions,
  resignalTierReviews,
} from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import type { OutboxRow } from '../db/results/outbox.ts'
import { connectionFailure } from '../temporal/breaker.ts'
import { signalEndpoint } from '../temporal/endpoint-signals.ts'
import { type Engine, within } from '../temporal/engine.ts'
import { WORKFLOW } from '../temporal/names.ts'
import { resignalRow } from '../temporal/outbox-call.ts'

// What waits for a workflow, by kind.
const WAITING = [
  ['redemptions', resignalRedemptions],
  ['payments', resignalPayments],
  ['expiries', resignalExpiries],
  ['tier_reviews', resignalTierReviews],
  ['bulks', resignalBulks],
  ['erasures', resignalErasures],
  ['approvals', resignalApprovals],
  ['reassessments', resignalReassessments],
  ['endpoints', resignalEndpoints],
] as const

type WaitingKind = (typeof WAITING)[number][0]
type WaitingPage = (typeof WAITING)[number][1]

const PAGE = 500
const AT_ONCE = 8
const AGAIN_MS = 1_000

type Count = { sent: number; refused: number }
type ResignalCounts = Partial<Record<WaitingKind, Count>>

type Options = {
  pool: Pool
  engine: Engine
  /** Called after every page with how far a kind is. */
  onProgress?: (kind: WaitingKind, sent: number) => void
  /** A row that Temporal itself refused: passed over and counted. */
  onRefused?: (row: OutboxRow, error: unknown) => void
}

/**
 * Gives Temporal the run of everything that waits: one there is checks its row again, one there is not is
 * started to its date. Nothing is written; it may be run at any time and as often as one likes. While
 * Temporal is away it waits.
 */
export async function resignal({
  pool,
  engine,
  onProgress,
  onRefused,
}: Options): Promise<ResignalCounts> {
  const done: ResignalCounts = {}
  for (const [kind, waiting] of WAITING) {
    const count: Count = { sent: 0, refused: 0 }
    done[kind] = count
    for await (const page of pagesOf(pool, waiting)) {
      const rows = page.values()
      const work = async () => {
        for (const row of rows) {
          try {
            await sendUntilAnswered(engine, row)
            count.sent++
          } catch (error) {
            count.refused++
            onRefused?.(row, error)
          }
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, work))
      onProgress?.(kind, count.sent)
    }
  }
  return done
}

/** All that waits of one kind, in pages, in every workspace. */
async function* pagesOf(pool: Pool, waiting: WaitingPage): AsyncGenerator<OutboxRow[]> {
  let after = { workspace: '', id: '' }
  for (;;) {
    const rows = await waiting(pool, { ...after, limit: PAGE })
    const last = rows.at(-1)
    if (last === undefined) return
    after = { workspace: last.workspace, id: last.id }
    yield rows
    if (rows.length < PAGE) return
  }
}

async function sendUntilAnswered(engine: Engine, row: OutboxRow): Promise<void> {
  for (;;) {
    try {
      return await send(engine, row)
    } catch (error) {
      if (connectionFailure(error) === undefined) throw error
      await delay(AGAIN_MS)
    }
  }
}

function send(engine: Engine, row: OutboxRow): Promise<void> {
  const { workspace, workflow_id, workflow_type } = row
  if (workflow_type !== WORKFLOW.webhook) {
    return within(engine, () => resignalRow(engine, row))
  }
  return signalEndpoint(engine, { workspace, endpoint: workflow_id })
}

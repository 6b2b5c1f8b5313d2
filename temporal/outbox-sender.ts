import { deleteSent, type OutboxRow, onCommit } from '../db/outbox.ts'
import type { Pool } from '../db/pool.ts'
import type { Engine } from './engine.ts'
import { tellWorkflow } from './outbox-call.ts'

// Calls to Temporal at once.
const AT_ONCE = 2
const CALL_MS = 3_000

export type OutboxSender = {
  /** Takes rows that this process has just committed; returns at once and never throws. */
  take(rows: readonly OutboxRow[]): void
  /** Takes no more, and resolves when what it has is sent or left to the sweep. */
  close(): Promise<void>
}

type Options = {
  pool: Pool
  engine: Engine
  onFailure: (failure: { kind: string; error: unknown; about?: Record<string, string> }) => void
}

/** A sender of what is committed on this pool. */
export function sendAfterCommits(options: Options): OutboxSender {
  const sender = createOutboxSender(options)
  onCommit(options.pool, (_workspace, { rows = [] }) => sender.take(rows))
  return sender
}

/** Sends outbox rows in the background, a few calls at a time. What it cannot send is left to the sweep. */
export function createOutboxSender({ pool, engine, onFailure }: Options): OutboxSender {
  const waiting: OutboxRow[] = []
  const lanes = new Set<Promise<void>>()
  let closed = false

  const work = async (): Promise<void> => {
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
      const { workspace, workflow_id } = row
      try {
        const sending = row
        await engine.client.withDeadline(Date.now() + CALL_MS, () => tellWorkflow(engine, sending))
        await deleteSent(pool, [row])
      } catch (error) {
        onFailure({ kind: 'outbox', error, about: { workspace, workflow: workflow_id } })
      }
    }
  }
  return {
    take(rows) {
      if (closed) return
      waiting.push(...rows)
      while (lanes.size < Math.min(AT_ONCE, waiting.length)) {
        const lane = work().finally(() => lanes.delete(lane))
        lanes.add(lane)
      }
    },
    async close() {
      closed = true
      waiting.length = 0
      await Promise.all(lanes)
    },
  }
}

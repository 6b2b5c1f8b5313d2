import { databaseNow } from '../db/clock.ts'
import type { Pool } from '../db/pool.ts'
import type { OnFailure } from '../domain/failure.ts'
import type { Dependencies } from './dependencies.ts'
import { workOff } from './rows.ts'

// What is late by less than this has its own timer still on the way.
const GRACE_MS = 120_000
// One run does at most so many of a kind; the next minute takes the rest.
export const BATCH = 500
// And begins no further page after this: the activity has 50 s.
const TURN_MS = 30_000

export type ReconcilerFindings = {
  redemptions: number
  payments: number
  inbox: number
  earnings: number
  tiers: number
  webhooks: number
  expiries: number
  bulks: number
  fulfillments: number
  outbox: number
  approvals: number
}

/** Finds what is overdue since `before`, in all workspaces, the longest overdue first. */
type Overdue<Row> = (
  pool: Pool,
  page: { before: Date; limit: number; skip: number },
) => Promise<Row[]>

export type Reconciling = Pick<Dependencies, 'pool'> & {
  reconciled: (kind: keyof ReconcilerFindings, count: number) => void
  onFailure: OnFailure
}

/**
 * Finds the overdue rows of a kind and does them, each on its own; how many it found. `remains`: what was done is
 * found again until its own run, which is only signalled, gets to it.
 */
export function reconciling({ pool, reconciled, onFailure }: Reconciling) {
  return async <Row extends Record<string, string | Date>>(
    kind: keyof ReconcilerFindings,
    overdue: Overdue<Row>,
    act: (row: Row, now: string) => Promise<unknown>,
    { remains = false } = {},
  ): Promise<number> => {
    const now = await databaseNow(pool)
    const before = new Date(now.getTime() - GRACE_MS)
    const { done, passedOver } = await workOff<Row>(
      (limit, skip) => overdue(pool, { before, limit, skip }),
      (row) => act(row, now.toISOString()),
      {
        kind: `net_${kind}`,
        onFailure,
        most: BATCH,
        untilMs: performance.now() + TURN_MS,
        remains,
      },
    )
    reconciled(kind, done + passedOver)
    return done + passedOver
  }
}

export type Reconcile = ReturnType<typeof reconciling>

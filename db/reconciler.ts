import { call } from './call.ts'
import type { Pool } from './pool.ts'

/** The database's time, and the time before which something is overdue. ISO 8601. */
export async function reconcilerClock(
  pool: Pool,
  graceMs: number,
): Promise<{ now: string; before: string }> {
  const { rows } = await pool.query<{ now: Date }>('select clock_timestamp() as now')
  const now = rows[0]?.now ?? new Date()
  return { now: now.toISOString(), before: new Date(now.getTime() - graceMs).toISOString() }
}

export async function overdueRedemptions(pool: Pool, before: string, limit: number, skip = 0) {
  const { rows } = await pool.query<{ workspace: string; id: string }>(
    'select workspace, id from ledger.redemptions_overdue($1, $2, $3)',
    [before, limit, skip],
  )
  return rows
}

export async function overdueFulfillments(pool: Pool, before: string, limit: number, skip = 0) {
  const { rows } = await pool.query<{ workspace: string; id: string }>(
    'select workspace, id from ledger.fulfillments_overdue($1, $2, $3)',
    [before, limit, skip],
  )
  return rows
}

/** Begins the run of an item again that was lost, for its next date, where it still waits. */
export const resumeFulfillment = (pool: Pool, workspace: string, redemption: string) =>
  call<void>(pool, 'fulfillment_resume', [workspace, redemption])

export async function expiredPayments(pool: Pool, before: string, limit: number, skip = 0) {
  const { rows } = await pool.query<{ workspace: string; payment: string }>(
    'select workspace, payment from ledger.payments_overdue($1, $2, $3)',
    [before, limit, skip],
  )
  return rows
}

export async function unprocessedPayments(pool: Pool, before: string, limit: number, skip = 0) {
  const { rows } = await pool.query<{ workspace: string; payment: string }>(
    'select workspace, payment from ledger.payments_unprocessed($1, $2, $3)',
    [before, limit, skip],
  )
  return rows
}

export async function maturingEarnings(pool: Pool, before: string, limit: number, skip = 0) {
  const { rows } = await pool.query<{ workspace: string; source: string }>(
    'select workspace, source from ledger.earnings_overdue($1, $2, $3)',
    [before, limit, skip],
  )
  return rows
}

export async function undeliveredEndpoints(pool: Pool, before: string, limit: number, skip = 0) {
  const { rows } = await pool.query<{ workspace: string; endpoint: string }>(
    'select workspace, endpoint from ledger.endpoints_undelivered($1, $2, $3)',
    [before, limit, skip],
  )
  return rows
}

/** Makes outbox rows due that were written before this and that nobody sends; returns how many, at most `limit`. */
export async function makeOutboxDue(pool: Pool, before: string, limit: number): Promise<number> {
  const { rows } = await pool.query<{ overdue: number }>(
    'select ledger.outbox_make_due($1, $2) as overdue',
    [before, limit],
  )
  return rows[0]?.overdue ?? 0
}

/** Deletes idempotency keys older than this; returns how many. */
export async function forgetKeys(pool: Pool, olderThanMs: number): Promise<number> {
  const { rows } = await pool.query<{ gone: number }>(
    `select ledger.idempotency_forget(clock_timestamp() - make_interval(secs => $1)) as gone`,
    [olderThanMs / 1000],
  )
  return rows[0]?.gone ?? 0
}

import type { OutboxRow } from './outbox.ts'
import type { Pool } from './pool.ts'

/** What waits for a workflow, each by a function of db/sql/outbox.sql. */
export const WAITING = [
  'redemptions',
  'payments',
  'expiries',
  'tier_reviews',
  'bulks',
  'reassessments',
  'endpoints',
] as const

export type WaitingKind = (typeof WAITING)[number]

const PAGE = 500

/** All that waits of one kind, in pages, in every workspace. */
export async function* waitingPages(pool: Pool, kind: WaitingKind): AsyncGenerator<OutboxRow[]> {
  let after = ['', '']
  for (;;) {
    const { rows } = await pool.query<{ row: OutboxRow & { id: string } }>(
      `select ledger.resignal_${kind}($1, $2, $3) as row`,
      [...after, PAGE],
    )
    const last = rows.at(-1)
    if (last === undefined) return
    after = [last.row.workspace, last.row.id]
    yield rows.map(({ row }) => row)
    if (rows.length < PAGE) return
  }
}

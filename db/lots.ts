import { sql } from 'drizzle-orm'
import { type LotSpend, readSpends } from './allocations.ts'
import type { Page, PageRequest } from './page.ts'
import type { Pool } from './pool.ts'
import { ptx } from './schema/index.ts'
import { fromSnapshot, type Snapshot } from './snapshot.ts'
import { readFamily, type TransactionRow } from './transactions.ts'
import { inWorkspace } from './workspace-client.ts'

/** A lot with the credit that brought it and the last debits that took from it. Smallest unit. */
export type LotRow = {
  id: string
  /** Whose it is: after a merge the survivor's. */
  account: string
  points: number
  /** What is left; nothing of it once it is due. */
  remaining: number
  earnedAt: Date
  /** As it stands now: activity or a return may have moved it. */
  expiresAt: Date | null
  credit: TransactionRow
  spends: LotSpend[]
}

type Found = {
  id: string
  account: string
  points: string
  remaining: string
  earned_at: string
  due_at: string | null
  credit: Snapshot
}

/** How many debits of a lot its list shows; the others are among its allocations. */
export const MOST_SPENDS = 20

export type LotFilter = {
  /** Only those that something is left of. */
  open?: boolean
}

/** What a member's credits brought, newest first; what was merged into the account is part of it. */
export const listLots = (
  pool: Pool,
  workspace: string,
  account: string,
  { open = false }: LotFilter,
  page: Pick<PageRequest, 'limit' | 'startingAfter' | 'endingBefore'>,
): Promise<Page<LotRow>> =>
  inWorkspace(pool, workspace, async (db) => {
    const { limit, startingAfter, endingBefore } = page
    const backwards = endingBefore !== undefined
    const cursor = startingAfter ?? endingBefore
    const order = backwards ? sql`asc` : sql`desc`
    const beyond = (id: ReturnType<typeof sql>) =>
      cursor === undefined ? sql`` : sql`and ${id} ${sql.raw(backwards ? '>' : '<')} ${cursor}`
    const family = sql.param(await readFamily(db, workspace, account))
    // Empty lots are in no index by account: they are found by their credits, in the list's order.
    const ids = open
      ? sql`select l.id from lot l where l.workspace = ${workspace} and l.account = m.id and l.open
          ${beyond(sql`l.id`)} order by l.id ${order} limit ${limit + 1}`
      : sql`select t.id from ptx t where t.workspace = ${workspace} and t.account = m.id
          and t.amount > 0 ${beyond(sql`t.id`)}
          and exists (select from lot l where l.workspace = ${workspace} and l.id = t.id)
          order by t.id ${order} limit ${limit + 1}`
    const { rows } = await db.execute<Found>(sql`
      select l.id, l.account, l.points, to_jsonb(l.earned_at) as earned_at,
        to_jsonb(d.due_at) as due_at, to_jsonb(t) as credit,
        case when d.due_at <= clock_timestamp() then 0 else l.remaining end as remaining
      from (
        select x.id from unnest(${family}::text[]) m (id) cross join lateral (${ids}) x
        order by x.id ${order} limit ${limit + 1}
      ) x
      join lot l on l.workspace = ${workspace} and l.id = x.id
      join ptx t on t.workspace = ${workspace} and t.id = x.id
      join account a on a.workspace = ${workspace} and a.id = l.account
      cross join lateral ledger.lot_due_at(l, a.activity_extends_to) d (due_at)
      order by l.id ${order}`)
    const found = rows.slice(0, limit)
    const shown = found.map(({ id }) => id)
    const spends = await readSpends(db, workspace, shown, MOST_SPENDS)
    const lots = found.map((row) => ({
      id: row.id,
      account: row.account,
      points: Number(row.points),
      remaining: Number(row.remaining),
      earnedAt: new Date(row.earned_at),
      expiresAt: row.due_at === null ? null : new Date(row.due_at),
      credit: fromSnapshot(ptx, row.credit),
      spends: spends.filter(({ lot }) => lot === row.id),
    }))
    return { rows: backwards ? lots.reverse() : lots, hasMore: rows.length > limit }
  })

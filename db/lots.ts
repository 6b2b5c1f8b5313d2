import { type SQL, sql } from 'drizzle-orm'
import type { Page, PageRequest } from './page.ts'
import type { Pool } from './pool.ts'
import { ptx } from './schema/index.ts'
import { fromSnapshot, type Snapshot } from './snapshot.ts'
import { readFamily, type TransactionRow, type TransactionType } from './transactions.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

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

type FoundLot = {
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
    const { rows } = await db.execute<FoundLot>(sql`
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

/** How much a debit took from a lot, or got given back to it (negative), by the transaction `cause`. Smallest unit. */
export type AllocationRow = {
  debit: string
  lot: string
  cause: string
  amount: number
  account: string
  program: string
  createdAt: Date
}

type FoundAllocation = Omit<AllocationRow, 'amount' | 'createdAt'> & {
  amount: string
  created_at: string
}

/** An allocation by its three transactions, which order the list: newest debit first. */
export type AllocationKey = { debit: string; lot: string; cause: string }

export type AllocationPage = Pick<PageRequest, 'limit'> & {
  startingAfter?: AllocationKey
  endingBefore?: AllocationKey
}

/**
 * What a transaction moved between debits and lots, and what others did to its lot: the rows that name it as
 * their debit, their lot or their cause.
 */
export const listAllocations = (
  pool: Pool,
  workspace: string,
  transaction: string,
  page: AllocationPage,
): Promise<Page<AllocationRow>> =>
  inWorkspace(pool, workspace, async (db) => {
    const { limit, startingAfter, endingBefore } = page
    const backwards = endingBefore !== undefined
    const cursor = startingAfter ?? endingBefore
    const order = backwards ? sql`asc` : sql`desc`
    const beyond = (columns: SQL, values: SQL) =>
      cursor === undefined
        ? sql``
        : sql`and (${columns}) ${sql.raw(backwards ? '>' : '<')} (${values})`
    const { debit, lot, cause } = cursor ?? { debit: '', lot: '', cause: '' }
    // Each branch reads its index in the list's order, and no more than the page.
    const branch = (where: SQL) => sql`(select x.* from allocation x
      where x.workspace = ${workspace} and x.amount <> 0 and ${where}
      ${beyond(sql`x.debit, x.lot, x.cause`, sql`${debit}, ${lot}, ${cause}`)}
      order by x.debit ${order}, x.lot ${order}, x.cause ${order} limit ${limit + 1})`
    const { rows } = await db.execute<FoundAllocation>(sql`
      select x.debit, x.lot, x.cause, x.amount, t.account, t.program,
        to_jsonb(t.created_at) as created_at from (
        ${branch(sql`x.debit = ${transaction}`)}
        union all ${branch(sql`x.lot = ${transaction}`)}
        union all ${branch(sql`x.cause = ${transaction} and x.cause <> x.debit and x.lot <> ${transaction}`)}
      ) x
      join ptx t on t.workspace = ${workspace} and t.id = x.cause
      order by x.debit ${order}, x.lot ${order}, x.cause ${order} limit ${limit + 1}`)
    const found = rows.slice(0, limit).map(({ amount, created_at: at, ...row }) => ({
      ...row,
      amount: Number(amount),
      createdAt: new Date(at),
    }))
    return { rows: backwards ? found.reverse() : found, hasMore: rows.length > limit }
  })

/** What one transaction took of a lot, net of what it got given back. */
export type LotSpend = {
  lot: string
  transaction: string
  type: TransactionType
  redemption: string | null
  points: number
  at: Date
}

/** The last `most` transactions that took from each of these lots, newest first, those that gave all back left out. */
export async function readSpends(
  db: Db,
  workspace: string,
  lots: string[],
  most: number,
): Promise<LotSpend[]> {
  if (lots.length === 0) return []
  type FoundSpend = Omit<LotSpend, 'points' | 'at'> & { points: string; at: string }
  const { rows } = await db.execute<FoundSpend>(sql`
    select l.id as lot, t.id as transaction, t.type, t.redemption, x.points, to_jsonb(t.at) as at
    from unnest(${sql.param(lots)}::text[]) l (id)
    cross join lateral (
      select x.debit, sum(x.amount) as points from allocation x
      where x.workspace = ${workspace} and x.lot = l.id and x.amount <> 0
      group by x.debit order by x.debit desc limit ${most}
    ) x
    join ptx t on t.workspace = ${workspace} and t.id = x.debit
    where x.points <> 0
    order by l.id desc, t.id desc`)
  return rows.map((row) => ({ ...row, points: Number(row.points), at: new Date(row.at) }))
}

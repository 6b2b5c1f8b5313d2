import { type SQL, sql } from 'drizzle-orm'
import type { Page, PageRequest } from './page.ts'
import type { Pool } from './pool.ts'
import type { TransactionType } from './transactions.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

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

type Found = Omit<AllocationRow, 'amount' | 'createdAt'> & { amount: string; created_at: string }

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
    const { rows } = await db.execute<Found>(sql`
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
  type Found = Omit<LotSpend, 'points' | 'at'> & { points: string; at: string }
  const { rows } = await db.execute<Found>(sql`
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

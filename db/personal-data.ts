import { and, eq, inArray, sql } from 'drizzle-orm'
import type { AnyPgColumn, PgTable } from 'drizzle-orm/pg-core'
import { pointsOf } from '../domain/points.ts'
import { type Member, type MemberStore, objectsOf } from './member-stores.ts'
import type { Pool } from './pool.ts'
import {
  account,
  creditTransaction,
  event,
  payment,
  ptx,
  redemption,
  reportedEvent,
} from './schema/index.ts'
import { readFamily } from './transactions.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

type Row = Record<string, unknown>

const CHUNK = 500 // ids a query: some rows each, and never more of a member in memory

/** A member's rows of one store, some hundred at a time; no connection is held between them. */
export async function* memberRows(
  pool: Pool,
  member: Member,
  of: MemberStore,
): AsyncGenerator<Row[]> {
  const fields = Object.fromEntries(of.columns.map((column) => [column.name, column]))
  const shown = (row: Row): Row => {
    const entries = Object.entries(row).map(([name, value]): [string, unknown] => [
      name,
      of.points.has(name) ? pointsOf(Number(value), member.decimals) : value,
    ])
    return of.own(Object.fromEntries(entries), member)
  }
  for (const ids of chunks(of.of(member))) {
    const rows = await inWorkspace(pool, member.workspace, (db) =>
      db
        .select(fields)
        .from(of.table)
        .where(and(eq(of.table.workspace, member.workspace), inArray(of.by, ids)))
        .orderBy(of.by),
    )
    yield rows.map(shown)
  }
}

/** What happened to the member's objects, as it is stored. */
export async function* memberEvents(
  pool: Pool,
  member: Member,
): AsyncGenerator<(typeof event.$inferSelect)[]> {
  for (const ids of chunks(objectsOf(member))) {
    yield await inWorkspace(pool, member.workspace, (db) =>
      db
        .select()
        .from(event)
        .where(
          and(
            eq(event.workspace, member.workspace),
            inArray(event.object, ids),
            sql`${event.data} is not null`,
          ),
        )
        .orderBy(event.id),
    )
  }
}

function* chunks(ids: readonly string[]): Generator<string[]> {
  for (let from = 0; from < ids.length; from += CHUNK) yield ids.slice(from, from + CHUNK)
}

/** The member that the account is or was merged into; undefined where there is no such account. */
export const findMember = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<Member | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const { rows } = await db.execute<{ id: string | null; decimals: number }>(sql`
      select account.id, program.decimals from account
      join program on program.workspace = account.workspace and program.id = account.program
      where account.workspace = ${workspace}
        and account.id = ledger.account_survivor(${workspace}, ${id})`)
    const found = rows[0]
    if (found === undefined || found.id === null) return undefined
    const accounts = await readFamily(db, workspace, found.id)
    const ids = (table: MembersTable) => idsOf(db, table, workspace, accounts)
    const transactions = await ids(ptx)
    const redemptions = await ids(redemption)
    const reportedEvents = await ids(reportedEvent)
    const customers = await customersOf(db, workspace, accounts)
    const payments = await paymentsOf(db, workspace, accounts, customers)
    const ownPayments = await paymentsWithin(db, workspace, payments, customers)
    return {
      workspace,
      account: found.id,
      decimals: found.decimals,
      customers,
      accounts,
      transactions,
      redemptions,
      payments,
      ownPayments,
      reportedEvents,
    }
  })

type MembersTable = PgTable & { workspace: AnyPgColumn; id: AnyPgColumn; account: AnyPgColumn }

async function idsOf(
  db: Db,
  table: MembersTable,
  workspace: string,
  accounts: string[],
): Promise<string[]> {
  const rows = await db
    .select({ id: table.id })
    .from(table)
    .where(and(eq(table.workspace, workspace), inArray(table.account, accounts)))
    .orderBy(table.account, table.id)
  return rows.map(({ id }) => String(id))
}

async function customersOf(db: Db, workspace: string, accounts: string[]): Promise<string[]> {
  const rows = await db
    .selectDistinct({ customer: account.customer })
    .from(account)
    .where(and(eq(account.workspace, workspace), inArray(account.id, accounts)))
  return rows.flatMap(({ customer }) => customer ?? [])
}

/** Those that the member's rows name, and those of their customer in any program. */
async function paymentsOf(
  db: Db,
  workspace: string,
  accounts: string[],
  customers: string[],
): Promise<string[]> {
  const named = [ptx, redemption, creditTransaction].map(
    (table) => sql`select ${table.payment} as id from ${table}
      where ${table.workspace} = ${workspace} and ${inArray(table.account, accounts)}
        and ${table.payment} is not null`,
  )
  const own = sql`select ${payment.id} as id from ${payment}
    where ${payment.workspace} = ${workspace}
      and ${payment.customer} = any (${sql.param(customers)}::text[])`
  // a union, for no index answers an "or" of them
  const { rows } = await db.execute<{ id: string }>(
    sql`${sql.join([...named, own], sql` union `)} order by id`,
  )
  return rows.map(({ id }) => id)
}

/** Of these payments, those whose customer is nobody else. */
async function paymentsWithin(
  db: Db,
  workspace: string,
  payments: string[],
  customers: string[],
): Promise<string[]> {
  const { rows } = await db.execute<{ id: string }>(sql`
    select ${payment.id} as id from ${payment} where ${payment.workspace} = ${workspace}
      and ${payment.id} = any (${sql.param(payments)}::text[])
      and (${payment.customer} is null or ${payment.customer} = any (${sql.param(customers)}::text[]))
    order by id`)
  return rows.map(({ id }) => id)
}

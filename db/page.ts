import { and, asc, desc, eq, gt, gte, lt, lte, or, type SQL, sql } from 'drizzle-orm'
import type { AnyPgColumn, PgTable } from 'drizzle-orm/pg-core'
import type { Moment, Window } from '../domain/moment.ts'
import { Refused } from '../domain/refusal.ts'
import type { Db } from './workspace-client.ts'

export type PageRequest = {
  /** 1 to 100 */
  limit: number
  /** An id: the page after it, going back in time. */
  startingAfter?: string
  /** An id: the page before it, going forward. */
  endingBefore?: string
  created?: Window
  /** Whose time zone the days of `created` are of; prog_default's where neither is named. */
  program?: string
  account?: string
}

export type Page<Row> = { rows: Row[]; hasMore: boolean }

type PagedTable = PgTable & { id: AnyPgColumn; createdAt: AnyPgColumn; workspace: AnyPgColumn }

/** The workspace that the connection reads for. */
const WORKSPACE = sql`current_setting('vinr.workspace')`

/**
 * One page of a table, newest first, by (created_at, id), or by id alone where `datedIds` says that
 * ids sort by creation, and any id is a place in the list. Another cursor that names nothing is
 * refused: an empty page would look like the end of the list.
 */
export async function readPage<T extends PagedTable>(
  db: Db,
  table: T,
  page: PageRequest,
  where: (SQL | '' | undefined)[],
  datedIds = false,
): Promise<Page<T['$inferSelect']>> {
  const { limit, startingAfter, endingBefore } = page
  const backwards = endingBefore !== undefined
  const cursor = startingAfter ?? endingBefore
  const conditions = [
    ...where.filter((condition): condition is SQL => Boolean(condition)),
    ...createdWithin(table, page),
    cursor &&
      (datedIds ? (backwards ? gt : lt)(table.id, cursor) : beyond(table, cursor, backwards)),
  ].filter((condition): condition is SQL => Boolean(condition))
  const order = backwards ? asc : desc
  const listed: PgTable = table // drizzle's own types lose their way in T
  const found = await db
    .select()
    .from(listed)
    .where(and(...conditions))
    .orderBy(...(datedIds ? [order(table.id)] : [order(table.createdAt), order(table.id)]))
    .limit(limit + 1)
  if (cursor && !datedIds && found.length === 0) await refuseUnknown(db, table, page)
  const rows = found.slice(0, limit) as T['$inferSelect'][]
  return { rows: backwards ? rows.reverse() : rows, hasMore: found.length > limit }
}

/** A day counts as a whole: `gte` from its start, `gt` after its end, `lte` to its end, `lt` before its start. */
function createdWithin(table: PagedTable, { created = {}, program, account }: PageRequest) {
  const zone = sql`ledger.day_zone(${WORKSPACE}, ${program ?? null}, ${account ?? null})`
  const midnight = (day: string, later: number) =>
    sql`ledger.local_midnight(${day}::date + ${later}::int, ${zone})`
  const bound = (
    moment: Moment | undefined,
    instant: typeof gte,
    ofDay: typeof gte,
    later: 0 | 1,
  ) =>
    moment &&
    ('day' in moment
      ? ofDay(table.createdAt, midnight(moment.day, later))
      : instant(table.createdAt, moment))
  return [
    bound(created.gt, gt, gte, 1),
    bound(created.gte, gte, gte, 0),
    bound(created.lt, lt, lt, 0),
    bound(created.lte, lte, lt, 1),
  ]
}

async function refuseUnknown(db: Db, table: PagedTable, page: PageRequest) {
  const { id, workspace } = table
  const ours = eq(workspace, WORKSPACE)
  const listed: PgTable = table
  const isCursor = eq(id, page.startingAfter ?? page.endingBefore)
  const named = await db.select({ id }).from(listed).where(and(ours, isCursor)).limit(1)
  if (named.length === 0) throw unknownCursor(page)
}

/** The refusal of a page whose cursor names nothing. */
export function unknownCursor({ startingAfter, endingBefore }: PageRequest): Refused {
  const param = startingAfter === undefined ? 'ending_before' : 'starting_after'
  const message = `${param} names nothing in this list: ${startingAfter ?? endingBefore}.`
  return new Refused({ code: 'parameter_invalid', param, message })
}

// The cursor's own time is read by the database: JavaScript would cut its microseconds.
function beyond(table: PagedTable, cursor: string, backwards: boolean): SQL {
  const at = sql`(select c.created_at from ${table} c where c.workspace = ${WORKSPACE} and c.id = ${cursor})`
  const compare = backwards ? gt : lt
  return or(
    compare(table.createdAt, at),
    and(eq(table.createdAt, at), compare(table.id, cursor)),
  ) as SQL
}

import { and, eq, inArray, type SQL, sql } from 'drizzle-orm'
import type { AnyPgColumn, PgTable } from 'drizzle-orm/pg-core'
import type { TimelineKind } from '../domain/timeline.ts'
import type { Page, PageRequest } from './page.ts'
import type { Pool } from './pool.ts'
import { event, memberIdentity, ptx, redemption, tierChange } from './schema/index.ts'
import { readFamily } from './transactions.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

/** A place in a timeline: the microsecond, in hex as dated ids have it, then the object's id. */
export type TimelineKey = { hex: string; object: string }

type RowOf = {
  transaction: typeof ptx.$inferSelect
  redemption: typeof redemption.$inferSelect
  tier_change: typeof tierChange.$inferSelect
  identity_registered: typeof memberIdentity.$inferSelect
  identity_revoked: typeof memberIdentity.$inferSelect
  merge: typeof event.$inferSelect
}
export type TimelineEntry = {
  [Kind in TimelineKind]: { kind: Kind; key: TimelineKey; row: RowOf[Kind] }
}[TimelineKind]

type TimelinePage = Pick<PageRequest, 'limit'> & {
  startingAfter?: TimelineKey
  endingBefore?: TimelineKey
}

const HEX_DIGITS = 13
const hexOf = (at: SQL) =>
  sql`lpad(to_hex((extract(epoch from ${at}) * 1000000)::bigint), ${sql.raw(String(HEX_DIGITS))}, '0')`
const hexOfId = sql`substr(x.id, 5, ${sql.raw(String(HEX_DIGITS))})`
const instantOf = (hex: string) =>
  sql`('epoch'::timestamptz + ${String(BigInt(`0x${hex}`))}::bigint * interval '1 microsecond')`

/**
 * What happened to a member and to whatever was merged into it, newest first, in the order in which it was
 * written. A cursor is a place in time, so that a page stays where it was whatever is written meanwhile.
 */
export const readTimeline = (
  pool: Pool,
  workspace: string,
  account: string,
  kind: TimelineKind | undefined,
  { limit, startingAfter, endingBefore }: TimelinePage,
): Promise<Page<TimelineEntry>> =>
  inWorkspace(pool, workspace, async (db) => {
    const backwards = endingBefore !== undefined
    const family = await readFamily(db, workspace, account)
    const read = { workspace, limit: limit + 1, cursor: startingAfter ?? endingBefore, backwards }
    const order = sql.raw(backwards ? 'asc' : 'desc')
    const branches = (Object.keys(BRANCHES) as TimelineKind[])
      .filter((one) => kind === undefined || one === kind)
      .map((one) => sql`(${BRANCHES[one](read)})`)
    const { rows } = await db.execute<{ kind: TimelineKind; hex: string; object: string }>(sql`
      select y.* from unnest(${sql.param(family)}::text[]) m (id)
      cross join lateral (${sql.join(branches, sql` union all `)}) y
      order by y.hex collate "C" ${order}, y.object collate "C" ${order} limit ${limit + 1}`)
    const found = rows.slice(0, limit)
    const objects = await readObjects(db, workspace, found)
    const entries = found.map(
      ({ kind: of, hex, object }) =>
        // the row of this kind: each is found in the table of its kind
        ({ kind: of, key: { hex, object }, row: objects.get(object) }) as TimelineEntry,
    )
    return { rows: backwards ? entries.reverse() : entries, hasMore: rows.length > limit }
  })

type BranchRead = {
  workspace: string
  limit: number
  cursor: TimelineKey | undefined
  backwards: boolean
}

/** Each reads its index from the cursor on, in the list's order, and no more than a page of one account (`m`). */
const BRANCHES: Readonly<Record<TimelineKind, (read: BranchRead) => SQL>> = {
  transaction: datedBranch('transaction', 'ptx', 'ptx', sql`x.account = m.id`),
  tier_change: datedBranch('tier_change', 'tier_change', 'tch', sql`x.account = m.id`),
  identity_registered: datedBranch(
    'identity_registered',
    'member_identity',
    'idn',
    sql`x.account = m.id`,
  ),
  merge: datedBranch(
    'merge',
    'event',
    'evt',
    sql`x.object = m.id and x.data is not null and x.type = 'loyalty.account.merged'`,
  ),
  redemption: timedBranch('redemption', 'redemption', 'rdm', sql`x.created_at`),
  // hardly anybody has revoked more than a few
  identity_revoked: timedBranch('identity_revoked', 'member_identity', 'idn', sql`x.revoked_at`),
}

function datedBranch(kind: TimelineKind, table: string, prefix: string, where: SQL) {
  return ({ workspace, limit, cursor, backwards }: BranchRead): SQL => {
    const order = sql.raw(backwards ? 'asc' : 'desc')
    const beyond = sql.raw(backwards ? '>' : '<')
    return sql`select ${kind} as kind, ${hexOfId} as hex, x.id as object from ${sql.raw(table)} x
      where x.workspace = ${workspace} and ${where}
        ${cursor ? sql`and x.id ${beyond} ${boundOf(prefix, cursor)}` : sql``}
      order by x.id ${order} limit ${limit}`
  }
}

/** Between the ids of one kind: its own place where the cursor is one of them, else before or after all of its microsecond. */
function boundOf(prefix: string, { hex, object }: TimelineKey): string {
  const moment = `${prefix}_${hex}`
  if (object.startsWith(moment)) return object
  return moment < object ? `${moment}${LAST}` : moment
}

const LAST = '~' // after every letter and digit

function timedBranch(kind: TimelineKind, table: string, prefix: string, at: SQL) {
  return ({ workspace, limit, cursor, backwards }: BranchRead): SQL => {
    const order = sql.raw(backwards ? 'asc' : 'desc')
    const beyond = sql.raw(backwards ? '>' : '<')
    return sql`select ${kind} as kind, ${hexOf(at)} as hex, x.id as object from ${sql.raw(table)} x
      where x.workspace = ${workspace} and x.account = m.id and ${at} is not null
        ${cursor ? sql`and (${at}, x.id) ${beyond} (${instantOf(cursor.hex)}, ${boundOfTime(prefix, cursor)})` : sql``}
      order by ${at} ${order}, x.id ${order} limit ${limit}`
  }
}

function boundOfTime(prefix: string, { object }: TimelineKey): string {
  if (object.startsWith(`${prefix}_`)) return object
  return `${prefix}_` < object ? LAST : ''
}

type Objects = Map<string, RowOf[TimelineKind]>

async function readObjects(
  db: Db,
  workspace: string,
  found: readonly { object: string }[],
): Promise<Objects> {
  const objects: Objects = new Map()
  for (const table of [ptx, redemption, tierChange, memberIdentity, event]) {
    const ids = found.flatMap(({ object }) =>
      object.startsWith(PREFIX.get(table) ?? '') ? [object] : [],
    )
    if (ids.length === 0) continue
    const listed: PgTable & { workspace: AnyPgColumn; id: AnyPgColumn } = table
    const rows = await db
      .select()
      .from(listed)
      .where(and(eq(listed.workspace, workspace), inArray(listed.id, ids)))
    for (const row of rows as RowOf[TimelineKind][]) objects.set(row.id, row)
  }
  return objects
}

const PREFIX = new Map<object, string>([
  [ptx, 'ptx_'],
  [redemption, 'rdm_'],
  [tierChange, 'tch_'],
  [memberIdentity, 'idn_'],
  [event, 'evt_'],
])

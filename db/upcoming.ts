import { type SQL, sql } from 'drizzle-orm'
import { UPCOMING_KINDS, type UpcomingKind } from '../domain/upcoming.ts'
import type { Page, PageRequest } from './page.ts'
import type { Pool } from './pool.ts'
import { readFamily } from './transactions.ts'
import { inWorkspace } from './workspace-client.ts'

/** A place in what comes: the microsecond in hex, the kind, then the object's id. */
export type UpcomingKey = { hex: string; kind: UpcomingKind; object: string }

/** Something that a workflow or schedule will do. Points in the smallest unit. */
export type UpcomingRow = UpcomingKey & {
  at: Date
  account: string | null
  program: string | null
  points: number | null
  /** The object that its run is named by, where that is another. */
  subject: string | null
  /** Whether a date that many accounts share is done by the minute's batch. */
  shared: boolean
}

type UpcomingPage = Pick<PageRequest, 'limit'> & {
  startingAfter?: UpcomingKey
  endingBefore?: UpcomingKey
}

type Found = Omit<UpcomingRow, 'at' | 'points'> & { at: string; points: string | null }

/** What will happen in the workspace, or to one account and what was merged into it, soonest first. */
export const readUpcoming = (
  pool: Pool,
  workspace: string,
  { account, kind }: { account?: string; kind?: UpcomingKind | undefined },
  { limit, startingAfter, endingBefore }: UpcomingPage,
): Promise<Page<UpcomingRow>> =>
  inWorkspace(pool, workspace, async (db) => {
    const backwards = endingBefore !== undefined
    const cursor = startingAfter ?? endingBefore
    const order = sql.raw(backwards ? 'desc' : 'asc')
    const branches = account === undefined ? OF_WORKSPACE : OF_ACCOUNT
    const parts = UPCOMING_KINDS.filter((one) => kind === undefined || one === kind).flatMap(
      (one) => {
        const from = branches[one]
        return from === undefined ? [] : [part(one, from(workspace), { limit, cursor, backwards })]
      },
    )
    if (parts.length === 0) return { rows: [], hasMore: false }
    const union = sql.join(parts, sql` union all `)
    const rows =
      account === undefined
        ? sql`(${union}) y`
        : sql`unnest(${sql.param(await readFamily(db, workspace, account))}::text[]) m (id)
            cross join lateral (${union}) y`
    const found = await db.execute<Found>(sql`
      select u.kind, u.object, u.account, a.program, u.points, u.subject, to_jsonb(u.at) as at,
        lpad(to_hex((extract(epoch from u.at) * 1000000)::bigint), 13, '0') as hex,
        coalesce((u.at at time zone p.expiry_time_zone)::time = time '00:00', false) as shared
      from (select y.* from ${rows}
        order by y.at ${order}, y.kind ${order}, y.object ${order} limit ${limit + 1}) u
      left join account a on a.workspace = ${workspace} and a.id = u.account
      left join program p on p.workspace = ${workspace} and p.id = a.program
      order by u.at ${order}, u.kind ${order}, u.object ${order}`)
    const page = found.rows.slice(0, limit).map((row) => ({
      ...row,
      at: new Date(row.at),
      points: row.points === null ? null : Number(row.points),
    }))
    return { rows: backwards ? page.reverse() : page, hasMore: found.rows.length > limit }
  })

/** Reads an index in the list's order, from the cursor on and no more than a page. */
function part(
  kind: UpcomingKind,
  from: SQL,
  read: { limit: number; cursor: UpcomingKey | undefined; backwards: boolean },
): SQL {
  const { limit, cursor, backwards } = read
  const order = sql.raw(backwards ? 'desc' : 'asc')
  const beyond = sql.raw(backwards ? '<' : '>')
  const after =
    cursor === undefined ? sql`` : sql`where (x.at, x.object) ${beyond} (${placeOf(kind, cursor)})`
  return sql`(select ${kind}::text collate "C" as kind, x.* from (${from}) x ${after}
    order by x.at ${order}, x.object ${order} limit ${limit + 1})`
}

/** Where the cursor stands among those of one kind: before or after all of its microsecond where it is of another. */
function placeOf(kind: UpcomingKind, { hex, kind: of, object }: UpcomingKey): SQL {
  const at = sql`'epoch'::timestamptz + ${String(BigInt(`0x${hex}`))}::bigint * interval '1 microsecond'`
  return sql`${at}, ${kind === of ? object : kind < of ? LAST : ''}`
}

const LAST = '~' // after every letter and digit

type Branches = Readonly<Partial<Record<UpcomingKind, (workspace: string) => SQL>>>

const NOTHING = sql.raw('null::bigint as points, null::text as subject')

const OF_WORKSPACE: Branches = {
  redemption_release: (workspace) => sql`
    select expires_at as at, id as object, account, points, null::text as subject from redemption
    where workspace = ${workspace} and status = 'pending'`,
  fulfillment_deadline: (workspace) => sql`
    select overdue_at as at, id as object, account, points, null::text as subject from redemption
    where workspace = ${workspace} and status = 'fulfillment_pending' and overdue_at is not null`,
  earning_matures: (workspace) => sql`
    select matures_at as at, id as object, account, points - clawed as points, source as subject
    from earning where workspace = ${workspace} and outcome = 'pending'`,
  tier_review: (workspace) => sql`
    select tier_review_at as at, id as object, id as account, ${NOTHING} from account
    where workspace = ${workspace} and tier_review_at is not null`,
  expiry_check: (workspace) => sql`
    select expiry_wake_at as at, id as object, id as account, ${NOTHING} from account
    where workspace = ${workspace} and expiry_wake_at is not null and merged_into is null`,
  payment_expires: (workspace) => sql`
    select expires_at as at, id as object, null::text as account, ${NOTHING} from payment
    where workspace = ${workspace} and expires_at is not null
      and status in ('requires_payment', 'processing')`,
  webhook_attempt: (workspace) => sql`
    select d.next_attempt_at as at, d.id as object, null::text as account, null::bigint as points,
      d.endpoint as subject
    from webhook_endpoint e join webhook_delivery d on d.workspace = ${workspace}
      and d.endpoint = e.id and d.status = 'pending'
    where e.workspace = ${workspace} and e.status = 'enabled'`,
}

/** The next dates of an account's lots, and of the warnings before them that were not given yet. */
const dated = (workspace: string) => sql`
  select ledger.lot_due_at(l, a.activity_extends_to) as due, sum(l.remaining)::bigint as points
  from account a join lot l on l.workspace = a.workspace and l.account = a.id and l.open
    and l.expires_at is not null
  where a.workspace = ${workspace} and a.id = m.id group by 1`

const OF_ACCOUNT: Branches = {
  redemption_release: (workspace) => sql`
    select expires_at as at, id as object, account, points, null::text as subject from redemption
    where workspace = ${workspace} and account = m.id
      and status in ('pending', 'fulfillment_pending') and status = 'pending'`,
  fulfillment_deadline: (workspace) => sql`
    select overdue_at as at, id as object, account, points, null::text as subject from redemption
    where workspace = ${workspace} and account = m.id and overdue_at is not null
      and status in ('pending', 'fulfillment_pending') and status = 'fulfillment_pending'`,
  earning_matures: (workspace) => sql`
    select matures_at as at, id as object, account, points - clawed as points, source as subject
    from earning where workspace = ${workspace} and account = m.id and outcome = 'pending'`,
  tier_review: (workspace) => sql`
    select tier_review_at as at, id as object, id as account, ${NOTHING} from account
    where workspace = ${workspace} and id = m.id and tier_review_at is not null`,
  points_expire: (workspace) => sql`
    select d.due as at, m.id as object, m.id as account, d.points, null::text as subject
    from (${dated(workspace)}) d`,
  points_warning: (workspace) => sql`
    select (d.due at time zone p.expiry_time_zone
        - make_interval(days => p.expiry_warn_days_before)) at time zone p.expiry_time_zone as at,
      m.id as object, m.id as account, d.points, null::text as subject
    from (${dated(workspace)}) d
    join account a on a.workspace = ${workspace} and a.id = m.id
    join program p on p.workspace = ${workspace} and p.id = a.program
    where p.expiry_warn_days_before is not null and d.due > clock_timestamp() and not exists (
      select from expiry_warning w
      where w.workspace = ${workspace} and w.account = m.id and w.expires_at = d.due)`,
  payment_expires: (workspace) => sql`
    select p.expires_at as at, p.id as object, m.id as account, ${NOTHING}
    from account a join payment p on p.workspace = a.workspace and p.customer = a.customer
      and p.expires_at is not null and p.status in ('requires_payment', 'processing')
    where a.workspace = ${workspace} and a.id = m.id`,
}

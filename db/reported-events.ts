import { and, eq, or } from 'drizzle-orm'
import type { ReactionPlan } from '../domain/reactor.ts'
import { call } from './call.ts'
import type { Pool } from './pool.ts'
import type { EventPrecheck, ReportResult } from './results/reported_event.ts'
import { reportedEvent } from './schema/index.ts'
import { fromSnapshot, type Snapshot } from './snapshot.ts'
import { refusalRaised } from './sql-refusal.ts'
import { inWorkspace } from './workspace-client.ts'

export type { EventPrecheck, FoundEvent, ReportResult } from './results/reported_event.ts'

export type ReportedEventRow = typeof reportedEvent.$inferSelect

export const readReportedEvent = (snapshot: Snapshot): ReportedEventRow =>
  fromSnapshot(reportedEvent, snapshot)

export type EventRequest = {
  workspace: string
  eventId: string
  type: string
  user: string
  /** active: those that act; all: for a dry run; or the id of one. */
  reactors: string
  /** When it happened, ISO 8601; null: the till does not say. */
  occurredAt: string | null
}

/** The one statement before an event is judged; writes nothing. */
export const precheckEvent = (pool: Pool, e: EventRequest) =>
  call<EventPrecheck>(pool, 'event_precheck', [
    e.workspace,
    e.eventId,
    e.type,
    e.user,
    e.reactors,
    e.occurredAt,
  ])

export type ReportArguments = Omit<EventRequest, 'occurredAt'> & {
  id: string
  fingerprint: string
  account: string
  typeVersion: number
  payload: unknown
  occurredAt: string
  at: string
  strict: boolean
  plan: readonly ReactionPlan[]
  /** What the plan's points are reckoned in. */
  decimals: number
  dryRun: boolean
}

/** Writes the event and does what is planned, once; see `event_report`. */
export async function writeReportedEvent(pool: Pool, r: ReportArguments): Promise<ReportResult> {
  try {
    return await call<ReportResult>(pool, 'event_report', [
      r.workspace,
      r.id,
      r.eventId,
      r.fingerprint,
      r.user,
      r.account,
      r.type,
      r.typeVersion,
      JSON.stringify(r.payload),
      r.occurredAt,
      r.at,
      r.strict,
      JSON.stringify(r.plan),
      r.dryRun,
      r.decimals,
    ])
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'VR002') {
      return JSON.parse(error.message) as ReportResult // a dry run's, or stale: all is taken back
    }
    return { outcome: 'refused', refusal: refusalRaised(error) }
  }
}

/** How the points of a held event are held; `minor` / `per` is what a point of the smallest unit is worth. */
export type Hold = {
  redemption: string
  /** After which the points return by themselves. */
  holdMinutes: number
  /** ISO 8601; when it is held. */
  at: string
  code: string
  minor: bigint
  per: bigint
  currency: string
}

/** Writes the event and holds what is planned, once; see `event_hold`. */
export async function holdReportedEvent(
  pool: Pool,
  r: ReportArguments,
  h: Hold,
): Promise<ReportResult> {
  return orRefusal(
    call<ReportResult>(pool, 'event_hold', [
      r.workspace,
      r.id,
      r.eventId,
      r.fingerprint,
      r.user,
      r.account,
      r.type,
      r.typeVersion,
      JSON.stringify(r.payload),
      r.occurredAt,
      h.at,
      JSON.stringify(r.plan),
      h.redemption,
      h.holdMinutes,
      h.code,
      h.minor.toString(),
      h.per.toString(),
      h.currency,
      r.decimals,
    ]),
  )
}

export type UndoArguments = Pick<
  ReportArguments,
  'workspace' | 'id' | 'eventId' | 'fingerprint' | 'user' | 'type' | 'typeVersion' | 'payload'
> & {
  /** The event_id, or the id, of what is undone. */
  reverses: string
  /** What the caller says it undoes, in the smallest unit. */
  points: number | null
  occurredAt: string
  at: string
}

/** Writes the event and undoes what the other one moved, once; see `event_undo`. */
export async function undoReportedEvent(pool: Pool, u: UndoArguments): Promise<ReportResult> {
  return orRefusal(
    call<ReportResult>(pool, 'event_undo', [
      u.workspace,
      u.id,
      u.eventId,
      u.fingerprint,
      u.user,
      u.type,
      u.typeVersion,
      JSON.stringify(u.payload),
      u.reverses,
      u.points,
      u.occurredAt,
      u.at,
    ]),
  )
}

async function orRefusal(result: Promise<ReportResult>): Promise<ReportResult> {
  try {
    return await result
  } catch (error) {
    return { outcome: 'refused', refusal: refusalRaised(error) }
  }
}

/** The event that the caller knows by our id of it, or by its own `eventId`, which stands in front of none of ours. */
export const findReportedEvent = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<ReportedEventRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db
      .select()
      .from(reportedEvent)
      .where(
        and(
          eq(reportedEvent.workspace, workspace),
          or(eq(reportedEvent.eventId, id), eq(reportedEvent.id, id)),
        ),
      )
      .limit(2)
    return rows.find((row) => row.id === id) ?? rows[0]
  })

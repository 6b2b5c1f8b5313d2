import type { Rounding } from '../domain/points.ts'
import type { Planned, Rule } from '../domain/reactor.ts'
import { call } from './call.ts'
import type { Wake } from './expiry.ts'
import type { Pool } from './pool.ts'
import { reportedEvent } from './schema/index.ts'
import { fromSnapshot, type Snapshot } from './snapshot.ts'
import { refusalRaised, type SqlRefusal } from './sql-refusal.ts'

export type ReportedEventRow = typeof reportedEvent.$inferSelect

export const readReportedEvent = (snapshot: Snapshot): ReportedEventRow =>
  fromSnapshot(reportedEvent, snapshot)

export type FoundEvent = {
  outcome: 'found'
  at: string
  /** The event type's id, and the version of its schema. */
  type: string
  version: number
  account: string | null
  decimals: number | null
  rounding: Rounding | null
  reactors: Rule[]
}

export type EventPrecheck =
  | { outcome: 'exists'; event: Snapshot; decimals: number }
  | { outcome: 'no_type' }
  | FoundEvent

export type EventAsked = {
  workspace: string
  eventId: string
  type: string
  user: string
  /** active: those that act; all: for a dry run; or the id of one. */
  reactors: string
}

/** The one statement before an event is judged; writes nothing. */
export const precheckEvent = (pool: Pool, e: EventAsked) =>
  call<EventPrecheck>(pool, 'event_precheck', [e.workspace, e.eventId, e.type, e.user, e.reactors])

export type ReportArguments = EventAsked & {
  id: string
  fingerprint: string
  account: string
  typeVersion: number
  payload: unknown
  occurredAt: string
  at: string
  strict: boolean
  plan: readonly Planned[]
  dryRun: boolean
}

export type ReportResult = {
  outcome: 'processed' | 'replayed' | 'stale' | 'refused' | 'missing'
  event?: Snapshot
  refusal?: SqlRefusal
  wakes?: Wake[] | null
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
    ])
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'VR002') {
      return JSON.parse(error.message) as ReportResult // a dry run's result, on its way out
    }
    return { outcome: 'refused', refusal: refusalRaised(error) }
  }
}

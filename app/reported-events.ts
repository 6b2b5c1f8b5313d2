import { eventHold, eventPrecheck, eventReport, eventUndo } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import type { EventPrecheck, FoundEvent, ReportResult } from '../db/results/reported_event.ts'
import type { Snapshot } from '../db/snapshot.ts'
import { isIntrinsic } from '../domain/event.ts'
import { Payload } from '../domain/expression/payload.ts'
import type { SqlRefusal } from '../domain/ledger-refusal.ts'
import { findPersonalData } from '../domain/personal-data.ts'
import { CLOCK_SKEW_MS, planReactor, type ReactionPlan } from '../domain/reactor.ts'
import { refuse } from '../domain/refusal.ts'
import type { Dependencies } from './dependencies.ts'
import type { Checks } from './event-schemas/checks.ts'
import { checkPayload } from './event-types.ts'
import { missing } from './refusals.ts'

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

/** An event as a till reports it. */
export type EventReport = EventRequest & {
  id: string
  fingerprint: string
  payload: unknown
  strict: boolean
  dryRun: boolean
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

/** What became of it. `no_type` and `missing` (the member) wrote nothing, as a refusal does. */
export type EventResult =
  | { outcome: 'processed' | 'replayed'; event: Snapshot; decimals: number }
  | { outcome: 'refused'; refusal: SqlRefusal; decimals: number }
  | { outcome: 'failed'; failed: ReactionPlan }
  | { outcome: 'missing'; param: 'user' }
  | { outcome: 'no_type' }

/** There is no such member. */
const MISSING = { outcome: 'missing', param: 'user' } as const

/** Readies a plan whose reactors give rewards: what they are called, and their codes, sealed. */
export type Prepare = (plan: readonly ReactionPlan[], found: FoundEvent) => Promise<ReactionPlan[]>

// Each try follows an edit of a reactor, or of a reward it gives, in the milliseconds before it.
const TRIES = 10

/** The writer of reported events, run by the API in the request, or by the event's workflow after it. */
export function reportedEventCommands(dependencies: Dependencies) {
  const { pool } = dependencies
  return {
    /** Plans what the reactors would do and does it, once by `eventId`. `first` is a pre-check just made. */
    reportEvent: async (
      report: EventReport,
      first?: EventPrecheck,
      hold?: Hold,
      prepare?: Prepare,
    ): Promise<EventResult> => {
      let found = first ?? (await eventPrecheck(pool, report))
      for (let attempt = 1; attempt <= TRIES; attempt++) {
        if (found.outcome === 'no_type') return { outcome: 'no_type' }
        if (found.outcome === 'exists') {
          return { outcome: 'replayed', event: found.event, decimals: found.decimals }
        }
        const { account, decimals, rounding, at } = found
        if (account === null || decimals === null || rounding === null) return MISSING
        const occurredAt = report.occurredAt ?? at
        const planned = planEvent(found, report.payload, new Date(occurredAt))
        const gift = planned.find(givesRewards)
        if (gift !== undefined && prepare === undefined && hold === undefined) {
          // Only a request can give one. A reactor got it since this event was accepted for later:
          // nothing is written, and the till's next report of the event does it.
          return { outcome: 'failed', failed: gift }
        }
        const plan =
          gift === undefined || prepare === undefined ? planned : await prepare(planned, found)
        const failed = plan.find(({ outcome }) => outcome === 'failed')
        if ((report.strict || hold !== undefined) && failed !== undefined)
          return { outcome: 'failed', failed }
        const written = {
          ...report,
          account,
          typeVersion: found.version,
          occurredAt,
          at,
          plan,
          decimals,
        }
        const result =
          hold === undefined
            ? await eventReport.answer(pool, written)
            : await eventHold.answer(pool, { ...written, ...hold })
        if (result.outcome !== 'stale') {
          return reportedOf(result, decimals)
        }
        found = await eventPrecheck(pool, report)
      }
      throw new Error(`the reactors of ${report.type} change faster than an event can follow`)
    },

    /** Undoes what another event moved, once. */
    undoEvent: (undo: Parameters<typeof eventUndo>[1]) => eventUndo.answer(pool, undo),
  }
}

/** Whether the reactor gives rewards. */
export function givesRewards({ reactions }: ReactionPlan): boolean {
  return reactions.some(({ type }) => type === 'issue_reward')
}

const PLAN_MS = 1_000 // what the steps are bounded to takes a hundredth of it on a machine that is not busy

/** What the reactors found would do, or why they do nothing. The member is known. Throws TooSlow. */
export function planEvent(
  { reactors, decimals, rounding }: FoundEvent,
  payload: unknown,
  at: Date,
): ReactionPlan[] {
  const scale = { decimals: decimals ?? 0, rounding: rounding ?? 'down' }
  const started = performance.now()
  const seen = new Payload(payload, () => performance.now() - started > PLAN_MS)
  return reactors.map((rule) => planReactor(rule, { payload: seen, at }, scale))
}

function reportedOf({ outcome, event, refusal }: ReportResult, decimals: number): EventResult {
  if (refusal !== undefined) return { outcome: 'refused', refusal, decimals }
  if (event === undefined) return MISSING
  return { outcome: outcome === 'replayed' ? 'replayed' : 'processed', event, decimals }
}

/**
 * What there is to know before an event is acted on; writes nothing. Refuses the platform's own types
 * (event_type_intrinsic), an unknown type or user (404), personal data and a payload that the type's schema
 * refuses. An event stored under this eventId comes back as it is, unchecked.
 */
export async function checkEvent(
  context: { readonly pool: Pool; readonly checks: Checks },
  report: EventRequest & { payload: unknown },
): Promise<Exclude<EventPrecheck, { outcome: 'no_type' }>> {
  const { workspace, type, payload } = report
  if (isIntrinsic(type)) {
    refuse('event_type_intrinsic', `type: only the platform itself reports ${type}.`, {
      param: 'type',
    })
  }
  const found = await eventPrecheck(context.pool, report)
  if (found.outcome === 'exists') return found
  if (found.outcome === 'no_type') return missing('type', type)
  refusePersonalData(payload)
  await checkPayload(context, workspace, found, payload)
  if (found.account === null) return missing('user', report.user)
  refuseTimestamp(found, report.occurredAt)
  return found
}

/** Refuses a payload that looks as if it held personal data, naming where. */
function refusePersonalData(payload: unknown): void {
  const found = findPersonalData(payload)
  if (found === null) return
  const { path, kind } = found
  refuse('payload_personal_data', `${path}: looks like ${kind}. Report no personal data.`, {
    param: path,
  })
}

const DAY_MS = 86_400_000
const MOST_DAYS = 7 // a till that was without a network for a week is one that was away

/**
 * Refuses (parameter_invalid) a time that is not the till's own past: ahead, before the member was one, or
 * further back than the setting `eventMaxAgeDays`. Limits have windows, which a date of one's choice would step over.
 */
function refuseTimestamp(found: FoundEvent, occurredAt: string | null): void {
  if (occurredAt === null) return
  const at = Date.parse(occurredAt)
  const now = Date.parse(found.at)
  const days = found.most_days ?? MOST_DAYS
  if (at > now + CLOCK_SKEW_MS) bad('lies in the future')
  if (at + CLOCK_SKEW_MS < Date.parse(found.member_since ?? occurredAt)) {
    bad('lies before the member was one')
  }
  if (at + CLOCK_SKEW_MS < now - days * DAY_MS) {
    bad(`lies more than ${days} days back; the setting eventMaxAgeDays says how many may be`)
  }
}

function bad(what: string): never {
  refuse('parameter_invalid', `timestamp: ${what}.`, { param: 'timestamp' })
}

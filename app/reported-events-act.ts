import { done } from '../db/border.ts'
import { redemptionQuote } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import { findRedemption, type RedemptionRow } from '../db/redemptions.ts'
import { type ReportedEventRow, readReportedEvent } from '../db/reported-events.ts'
import type { FoundEvent } from '../db/results/reported_event.ts'
import { TooSlow } from '../domain/expression/payload.ts'
import type { CodeVault } from '../domain/gift-card.ts'
import { derivedId } from '../domain/ids.ts'
import type { PlannedReward } from '../domain/reactor.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import type { Engine } from '../temporal/engine.ts'
import { finishReportedEvent } from '../temporal/reported-event.ts'
import type { Checks } from './event-schemas/checks.ts'
import { newCode, newCodes } from './redemption-codes.ts'
import { missing } from './refusals.ts'
import {
  checkEvent,
  type EventReport,
  type EventResult,
  givesRewards,
  type Prepare,
  planEvent,
  type reportedEventCommands,
} from './reported-events.ts'
import { isUnknown, orUnavailable, Unavailable } from './unavailable.ts'

/** Whether the refusal is of a user that there is not. */
export const namesNobody = ({ code, param }: Refusal): boolean =>
  code === 'resource_missing' && param === 'user'

/** What an event is acted on with. */
export type EventContext = {
  /** For reads. */
  readonly pool: Pool
  readonly engine: Engine
  readonly commands: ReturnType<typeof reportedEventCommands>
  readonly checks: Checks
  readonly codes: CodeVault | undefined
  readonly holdMinutes: number
}

/** What became of a report. */
export type ReportOutcome =
  | { readonly status: 'accepted'; readonly strict: boolean }
  | {
      readonly status: 'done'
      readonly row: ReportedEventRow
      /** The redemption that holds its points; of most events none does. */
      readonly held?: RedemptionRow | undefined
      readonly decimals: number
      readonly dryRun: boolean
      readonly replayed: boolean
    }

/**
 * Checks an event, has it acted on in one transaction, and says what became of it. Where the database is
 * lost on the way, the outcome is unknown: the event's workflow then finds it out or does it, once, and
 * the answer is `accepted`. A strict one is left to the till: 503. Where the request does not say whether
 * it is strict, the workspace's setting `strict` does.
 */
export async function actOnEvent(
  context: EventContext,
  given: Omit<EventReport, 'strict'> & { strict: boolean | undefined },
): Promise<ReportOutcome> {
  const found = await checkEvent(context, given)
  const bySetting = found.outcome === 'found' && found.strict === true
  const report = { ...given, strict: given.strict ?? bySetting }
  try {
    const gifts = prepareGifts(context, report)
    const reported = await context.commands.reportEvent(report, found, undefined, gifts)
    return await outcomeOf(context, reported, report)
  } catch (error) {
    if (error instanceof TooSlow) throw new Unavailable(TOO_SLOW, error)
    if (found.outcome !== 'found' || report.dryRun || !isUnknown(error)) throw error
    const plan = planEvent(found, report.payload, new Date(report.occurredAt ?? found.at))
    if (report.strict || plan.some(givesRewards)) throw new Unavailable(UNKNOWN, error)
    const handedOver = { ...report, occurredAt: report.occurredAt ?? found.at }
    await orUnavailable(UNKNOWN, () => finishReportedEvent(context.engine, handedOver))
    return { status: 'accepted', strict: report.strict }
  }
}

/** Of TooSlow: the steps of an event are bounded, so it was the server that was busy. */
export const TOO_SLOW = 'The reactors of the event took too long. Nothing was written; try again.'

// A strict event is asked about now or not at all: a till gives its discount by the answer.
const UNKNOWN = 'Whether the event was processed is unknown. Report it again with the same eventId.'

/** What became of it; the ledger's refusals are thrown. */
export async function outcomeOf(
  { pool }: Pick<EventContext, 'pool'>,
  reported: EventResult,
  report: Pick<EventReport, 'type' | 'user' | 'fingerprint' | 'dryRun'>,
): Promise<ReportOutcome> {
  const result = done(reported, { user: report.user })
  switch (result.outcome) {
    case 'no_type':
      return missing('type', report.type)
    case 'failed': {
      const { name, explanation } = result.failed
      const message = `The reactor ${name} failed, and the event is strict: ${explanation}`
      return refuse('payload_invalid', message, { param: 'payload' })
    }
    case 'processed':
    case 'replayed': {
      const row = readReportedEvent(result.event)
      const replayed = result.outcome === 'replayed'
      if (replayed && row.fingerprint !== report.fingerprint) {
        const message = 'This eventId (or Idempotency-Key) was used with another event.'
        refuse('idempotency_key_reused', message, { resource: row.id })
      }
      const { workspace, redemption } = row
      const held =
        redemption === null ? undefined : await findRedemption(pool, workspace, redemption)
      const dryRun = report.dryRun && !replayed
      return { status: 'done', row, held, decimals: result.decimals, dryRun, replayed }
    }
  }
}

type GiftContext = {
  readonly pool: Pool
  readonly codes: CodeVault | undefined
  readonly holdMinutes: number
}

/**
 * Readies the rewards that an event's reactors give, which are redemptions of the event's own transaction. Each has
 * an id of its own that every try of the event shares, so that it is given once.
 */
function prepareGifts(context: GiftContext, report: EventReport): Prepare {
  const prepare = async (gift: PlannedReward, key: string, found: FoundEvent) => {
    const { workspace, eventId } = report
    const codes = await codesFor(context, report, gift, found)
    return {
      ...gift,
      redemption: derivedId('rdm', workspace, 'gift', eventId, key),
      code: newCode(),
      hold_minutes: context.holdMinutes,
      ...(codes !== undefined && { codes }),
    }
  }
  return (plan, found) =>
    Promise.all(
      plan.map(async (planned) => ({
        ...planned,
        reactions: await Promise.all(
          planned.reactions.map(async (reaction, index) =>
            reaction.type === 'issue_reward'
              ? prepare(reaction, `${planned.reactor}/${index}`, found)
              : reaction,
          ),
        ),
      })),
    )
}

/** Codes made for a gift card that may be given and has none of its own; who decides is the ledger. */
async function codesFor(
  context: GiftContext,
  { workspace, user }: EventReport,
  { reward, quantity }: PlannedReward,
  found: FoundEvent,
) {
  const account = found.account ?? user
  const quote = await redemptionQuote(context.pool, {
    workspace,
    account,
    reward,
    variant: null,
    quantity,
    defaultHoldMinutes: context.holdMinutes,
  })
  // a gift costs nothing: too few points keep nobody from it
  const isRefused =
    quote.outcome === 'missing' || quote.refusals.some(({ code }) => code !== 'insufficient_points')
  return isRefused ? undefined : newCodes(context.codes, workspace, quote.codes, quantity)
}

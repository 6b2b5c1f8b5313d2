import { findWallet, type WalletView } from '../db/members.ts'
import type { FoundEvent } from '../db/results/reported_event.ts'
import { TooSlow } from '../domain/expression/payload.ts'
import { derivedId } from '../domain/ids.ts'
import { refusalOf } from '../domain/ledger-refusal.ts'
import { Refused, refuse } from '../domain/refusal.ts'
import { rateOf } from './points.ts'
import { newCode } from './redemption-codes.ts'
import { missing } from './refusals.ts'
import { checkEvent, type EventReport, type Hold, planEvent } from './reported-events.ts'
import {
  type EventContext,
  outcomeOf,
  type ReportOutcome,
  TOO_SLOW,
} from './reported-events-act.ts'
import { Unavailable } from './unavailable.ts'

/**
 * Holds what the event's reactors would take: the event and a pending redemption are one transaction. A till that
 * dies before it confirms has nothing to undo.
 */
export async function holdEvent(
  context: EventContext,
  report: EventReport,
): Promise<ReportOutcome> {
  const { workspace } = report
  const found = await checkEvent(context, report)
  if (found.outcome === 'exists') {
    return outcomeOf(context, { ...found, outcome: 'replayed' }, report)
  }
  const wallet = await findWallet(context.pool, workspace, report.user)
  if (wallet === undefined) return missing('user', report.user)
  await inTime(async () => refuseHopeless(found, report, wallet))
  const hold = holdOf(context.holdMinutes, report, found, wallet)
  const reported = await inTime(() => context.commands.reportEvent(report, found, hold))
  return outcomeOf(context, reported, report)
}

async function inTime<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw error instanceof TooSlow ? new Unavailable(TOO_SLOW, error) : error
  }
}

/** Refuses what certainly will not be held; who decides is `event_hold`. */
function refuseHopeless(
  found: FoundEvent,
  { payload, occurredAt }: EventReport,
  wallet: WalletView,
) {
  const { decimals } = wallet.program
  const plan = planEvent(found, payload, new Date(occurredAt ?? found.at))
  const amounts = plan.flatMap(({ reactions }) =>
    reactions.map((reaction) => (reaction.type === 'adjust_points' ? -reaction.amount : -1)),
  )
  const required = amounts.reduce((sum, amount) => sum + amount, 0)
  if (required <= 0 || amounts.some((amount) => amount < 0)) {
    refuse(
      'parameter_invalid',
      'hold: the event’s reactors do not take points, or do more than that.',
      { param: 'hold' },
    )
  }
  const available = Math.max(wallet.view.row.balance - wallet.view.lots.due, 0)
  if (available < required) {
    const missing = required - available
    throw new Refused(
      refusalOf({ code: 'insufficient_points', required, available, missing }, decimals),
    )
  }
}

function holdOf(
  holdMinutes: number,
  report: EventReport,
  found: FoundEvent,
  wallet: WalletView,
): Hold {
  const { minor, per, currency } = rateOf(wallet)
  return {
    redemption: derivedId('rdm', report.workspace, 'hold', report.eventId),
    holdMinutes: wallet.program.holdMinutes ?? holdMinutes,
    at: found.at,
    code: newCode(),
    minor,
    per: per * 10n ** BigInt(wallet.program.decimals),
    currency,
  }
}

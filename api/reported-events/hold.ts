import { type EventReport, HoldTooLate, planEvent } from '../../activities/reported-event.ts'
import type { FoundEvent, Hold } from '../../db/reported-events.ts'
import { findWallet, type WalletView } from '../../db/wallets.ts'
import { creationWindowMs } from '../../domain/creation-window.ts'
import { TooSlow } from '../../domain/expression/payload.ts'
import { derivedId } from '../../domain/ids.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import { rewardForTills } from '../../domain/reward.ts'
import { armRedemption, inputOf, signalCreated } from '../../temporal/redemption.ts'
import { write } from '../contention.ts'
import type { Deps } from '../deps.ts'
import { Outage, orOutage } from '../outage.ts'
import { inPoints, missing } from '../points-refusal.ts'
import { newCode } from '../redemptions/begin.ts'
import { rateOf } from '../users/present.ts'
import { type Answer, answerOf, TOO_SLOW } from './act.ts'
import { judgeEvent } from './judge.ts'

const MINUTE_MS = 60_000

/**
 * Holds what the event's reactors would take: arm, then act, as any redemption (docs: one redemption).
 * The run that gives the points back exists before they are taken; a till that dies before it confirms
 * has nothing to undo.
 */
export async function holdEvent(
  deps: Deps,
  report: EventReport,
  livemode: boolean,
): Promise<Answer> {
  const { workspace } = report
  const found = await judgeEvent(deps, report)
  if (found.outcome === 'exists') {
    return answerOf(deps, { ...found, outcome: 'replayed' }, report, livemode)
  }
  if (found.outcome === 'no_type') return missing('type', report.type)
  const wallet = await findWallet(deps.pool, workspace, report.user)
  if (wallet === undefined) return missing('user', report.user)
  await inTime(async () => refuseHopeless(found, report, wallet))

  const { program, view } = wallet
  const holdMs = Math.round((program.holdMinutes ?? deps.holdMinutes) * MINUTE_MS)
  const hold = holdOf(report, found, wallet, holdMs)
  const run = { id: hold.redemption, account: view.row.id, reward: rewardForTills(program.id) }
  const input = {
    ...inputOf(workspace, run, hold.expiresAt),
    creationWindowMs: hold.windowMs,
  }
  const armed = await orOutage(
    'The points could not be held. Nothing was written; try again.',
    () => armRedemption(deps.engine, input, holdMs),
  )
  const reported = await inTime(() => write(() => deps.activities.reportEvent(report, found, hold)))
  // An earlier try armed the run and died: it may have looked already, so it is told to look again.
  if (!armed && reported.outcome === 'processed') await signalCreated(deps.engine, input)
  return answerOf(deps, reported, report, livemode)
}

async function inTime<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof TooSlow) throw new Outage(TOO_SLOW, error)
    if (!(error instanceof HoldTooLate)) throw error
    throw new Outage('The event took too long to begin. Nothing was written; try again.', error)
  }
}

/** What certainly will not be held arms no run; who decides is `event_hold`. */
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
      inPoints({ code: 'insufficient_points', required, available, missing }, decimals),
    )
  }
}

function holdOf(report: EventReport, found: FoundEvent, wallet: WalletView, holdMs: number): Hold {
  const { minor, per, currency } = rateOf(wallet)
  return {
    redemption: derivedId('rdm', report.workspace, 'hold', report.eventId),
    expiresAt: new Date(Date.parse(found.at) + holdMs).toISOString(),
    at: found.at,
    windowMs: creationWindowMs(holdMs),
    code: newCode(),
    minor,
    per: per * 10n ** BigInt(wallet.program.decimals),
    currency,
  }
}

import {
  allHandlersFinished,
  CancellationScope,
  condition,
  patched,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow'
import type { Settlement } from '../../activities/redemption.ts'
import { type RedemptionFacts, redemptionSummary } from '../../domain/redemption-summary.ts'
import { RedemptionPayment, RedemptionStatusKey } from '../../temporal/names.ts'
import type { RedemptionEnding, RunInput } from '../inputs.ts'
import type { MessageAnswer, Operation } from '../messages.ts'

/** How long a run that was started before its row, as the release before did, waits for that to come. Milliseconds. */
const CREATION_WINDOW_MS = 30_000

/**
 * A run beside a redemption's row, which keeps its time and carries its messages. Started before the
 * row is written, it never writes that itself, and the database decides every race.
 */
export type Switch = {
  readonly input: RunInput
  readonly rules: Rules
  facts: RedemptionFacts
  dueAtMs: number
  /** Signals received, and how many of them a check of the row has followed. */
  signalsReceived: number
  signalsHandled: number
  checksWithoutRow: number
  ended: boolean
}

export type Rules = {
  /** The status in which the row waits; any other ends the run. */
  readonly waitsIn: RedemptionFacts['status']
  /** ISO 8601 */
  dueAt(facts: RedemptionFacts): string | null
  /** What passing the due date does, if it has passed; answers the row as it is in any case. */
  actIfDue(ask: Moment): Promise<Settlement>
  /** An operator cancelled the run in the Temporal UI. */
  giveUp(ask: Moment & Operation & { reason: string }): Promise<Settlement>
  /** The timer's name in the Temporal UI. */
  timer(dueAt: string): string
}

type Moment = { workspace: string; redemption: string /** ISO 8601 */; at: string }

export function waitingRun(input: RunInput, dueAt: string, rules: Rules): Switch {
  const { waitsIn: status } = rules
  return {
    input,
    rules,
    facts: { status, payment: null, reason: null, expiresAt: dueAt, late: null },
    dueAtMs: Date.parse(dueAt),
    signalsReceived: 0,
    signalsHandled: 0,
    checksWithoutRow: 0,
    ended: false,
  }
}

/** Waits for messages and the due date until the row waits no more. What is under way is never cut off. */
export function untilEnded(run: Switch): Promise<RedemptionEnding> {
  return CancellationScope.nonCancellable(async () => {
    for (;;) {
      await condition(allHandlersFinished)
      if (run.ended) return ending(run)
      if (run.checksWithoutRow > 0) await awaitRow(run)
      if (isTimeToCheck(run)) await checkRow(run)
      else await sleepUntilDue(run)
    }
  })
}

const isTimeToCheck = (run: Switch) =>
  Date.now() >= run.dueAtMs || run.signalsHandled < run.signalsReceived || run.checksWithoutRow > 0

async function checkRow(run: Switch): Promise<void> {
  const received = run.signalsReceived
  learn(run, await run.rules.actIfDue(moment(run)))
  run.signalsHandled = received
  if (run.checksWithoutRow > 1 && received === run.signalsReceived) {
    run.facts = { ...run.facts, status: 'never_created' }
    run.ended = true
  }
}

async function sleepUntilDue(run: Switch): Promise<void> {
  setCurrentDetails(redemptionSummary(run.facts))
  const until = run.dueAtMs
  await condition(
    () =>
      !allHandlersFinished() ||
      run.ended ||
      run.signalsHandled < run.signalsReceived ||
      run.dueAtMs !== until,
    Math.max(until - Date.now(), 1),
    { summary: run.rules.timer(new Date(until).toISOString()) },
  )
}

/** No row: the create may still be on its way. Two creation windows later it can no longer come. */
async function awaitRow(run: Switch): Promise<void> {
  await condition(
    () => run.signalsHandled < run.signalsReceived || !allHandlersFinished(),
    2 * (run.input.creationWindowMs ?? CREATION_WINDOW_MS),
    {
      summary: 'no such redemption yet: one more check before this run ends',
    },
  )
}

/** Cancelling the run in the Temporal UI is one more message; where it is refused, the run keeps waiting. */
export function listenToOperator(run: Switch): void {
  const operation = `operator:${workflowInfo().runId}`
  const ask = { operation, fingerprint: operation, reason: 'canceled_by_operator' }
  CancellationScope.current().cancelRequested.catch(() =>
    obeySignal(run, () => run.rules.giveUp({ ...moment(run), ...ask })),
  )
}

/** A signal: what it does is done even in a run that an operator has cancelled and that keeps waiting. */
export async function obeySignal(run: Switch, settle: () => Promise<Settlement>): Promise<void> {
  run.signalsReceived++
  const received = run.signalsReceived
  learn(run, await CancellationScope.nonCancellable(settle))
  run.signalsHandled = Math.max(run.signalsHandled, received)
}

/** An update: the row has the outcome, the answer says only whether it was obeyed. */
export async function answer(
  run: Switch,
  settle: () => Promise<Settlement>,
): Promise<MessageAnswer> {
  const settlement = await CancellationScope.nonCancellable(settle)
  learn(run, settlement)
  return { replayed: settlement.outcome === 'replayed', refusal: settlement.refusal }
}

function learn(run: Switch, { facts }: Settlement): void {
  if (!facts) {
    run.checksWithoutRow++
    return
  }
  // A row that has ended never waits again: these facts were read before, and come late.
  if (run.ended && facts.status === run.rules.waitsIn && patched('ended-stays-ended')) return
  const before = run.facts
  const dueAt = run.rules.dueAt(facts)
  run.checksWithoutRow = 0
  run.facts = facts
  run.dueAtMs = dueAt ? Date.parse(dueAt) : run.dueAtMs
  run.ended = facts.status !== run.rules.waitsIn
  if (facts.status !== before.status || facts.payment !== before.payment) {
    upsertSearchAttributes([
      { key: RedemptionStatusKey, value: facts.status },
      ...(facts.payment ? [{ key: RedemptionPayment, value: facts.payment }] : []),
    ])
  }
}

function ending(run: Switch): RedemptionEnding {
  const summary = redemptionSummary(run.facts)
  setCurrentDetails(summary)
  return { redemption: run.input.redemption, status: run.facts.status, story: summary }
}

/** Whose row, and the run's time. */
export const moment = ({ input }: Switch): Moment => ({
  workspace: input.workspace,
  redemption: input.redemption,
  at: new Date().toISOString(),
})

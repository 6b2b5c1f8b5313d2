import {
  allHandlersFinished,
  CancellationScope,
  condition,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow'
import type { RedemptionActivities, Settlement } from '../activities/redemption.ts'
import { CREATION_WINDOW_MS } from '../domain/creation-window.ts'
import { type RedemptionFacts, redemptionStory } from '../domain/redemption-story.ts'
import {
  cancel,
  confirm,
  created,
  extend,
  type MessageAnswer,
  paymentCompleted,
  paymentFailed,
  type RedemptionEnding,
  type RedemptionInput,
  RedemptionPayment,
  RedemptionStatusKey,
  reverse,
} from './messages.ts'

// Retried without limit: a message is obeyed when the database is back, however long that takes.
const write = proxyLocalActivities<RedemptionActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '100ms', maximumInterval: '30s' },
})

type Run = {
  readonly input: RedemptionInput
  facts: RedemptionFacts
  releasesAtMs: number
  /** Signals received, and how many of them a look at the row has followed. */
  heard: number
  answered: number
  looksWithoutRow: number
  ended: boolean
}

/**
 * One redemption that waits for its payment: a message or the deadline settles it, once.
 * It never creates the redemption, and the database decides every race; the run only
 * carries messages to it and keeps the time. Started with a delay up to the deadline
 * (arm, then act), or without; it behaves the same.
 */
export async function redemption(input: RedemptionInput): Promise<RedemptionEnding> {
  const run = begin(input)
  listen(run)
  // An operator's cancel is one more message; what is under way is never cut off.
  return CancellationScope.nonCancellable(() => untilSettled(run))
}

async function untilSettled(run: Run): Promise<RedemptionEnding> {
  for (;;) {
    await condition(allHandlersFinished)
    if (run.ended) return ending(run)
    if (run.looksWithoutRow > 0) await awaitRow(run)
    if (isTimeToLook(run)) await releaseIfDue(run)
    else await sleepUntilDue(run)
  }
}

const isTimeToLook = (run: Run) =>
  Date.now() >= run.releasesAtMs || run.answered < run.heard || run.looksWithoutRow > 0

async function releaseIfDue(run: Run): Promise<void> {
  const heard = run.heard
  learn(run, await write.releaseDueRedemption({ ...who(run), at: now() }))
  run.answered = heard
  if (run.looksWithoutRow > 1 && heard === run.heard) {
    run.facts = { ...run.facts, status: 'never_created' }
    run.ended = true
  }
}

async function sleepUntilDue(run: Run): Promise<void> {
  setCurrentDetails(redemptionStory(run.facts))
  const until = run.releasesAtMs
  await condition(
    () =>
      !allHandlersFinished() || run.ended || run.answered < run.heard || run.releasesAtMs !== until,
    Math.max(until - Date.now(), 1),
    { summary: `points return at ${new Date(until).toISOString()}` },
  )
}

/** No row: the create may still be on its way. Two creation windows later it can no longer come. */
async function awaitRow(run: Run): Promise<void> {
  await condition(
    () => run.answered < run.heard || !allHandlersFinished(),
    2 * (run.input.creationWindowMs ?? CREATION_WINDOW_MS),
    {
      summary: 'no such redemption yet: one more look before this run ends',
    },
  )
}

function listen(run: Run): void {
  setHandler(created, () => {
    run.heard++
  })
  setHandler(paymentCompleted, ({ payment }) =>
    hear(run, () => write.applyRedemption({ ...who(run), payment, at: now() })),
  )
  setHandler(paymentFailed, ({ payment, status }) =>
    hear(run, () =>
      write.releaseFailedRedemption({
        ...who(run),
        payment,
        reason: `payment_${status}`,
        at: now(),
      }),
    ),
  )
  setHandler(cancel, (ask) =>
    answer(run, () => write.cancelRedemption({ ...who(run), ...ask, at: now() })),
  )
  setHandler(confirm, (ask) =>
    answer(run, () => write.confirmRedemption({ ...who(run), ...ask, at: now() })),
  )
  setHandler(extend, (ask) =>
    answer(run, () => write.extendRedemption({ ...who(run), ...ask, at: now() })),
  )
  setHandler(reverse, (ask) =>
    answer(run, () => write.reverseRedemption({ ...who(run), ...ask, at: now() })),
  )
  listenToOperator(run)
}

/** Cancelling the run in the Temporal UI means `cancel`; where that is refused, the run keeps waiting. */
function listenToOperator(run: Run): void {
  const operation = `operator:${workflowInfo().runId}`
  const ask = { operation, fingerprint: operation, reason: 'canceled_by_operator' }
  CancellationScope.current().cancelRequested.catch(() =>
    hear(run, () => write.cancelRedemption({ ...who(run), ...ask, at: now() })),
  )
}

/** A signal: what it does is done even in a run that an operator has cancelled and that keeps waiting. */
async function hear(run: Run, settle: () => Promise<Settlement>): Promise<void> {
  run.heard++
  const heard = run.heard
  learn(run, await CancellationScope.nonCancellable(settle))
  run.answered = Math.max(run.answered, heard)
}

async function answer(run: Run, settle: () => Promise<Settlement>): Promise<MessageAnswer> {
  const settlement = await CancellationScope.nonCancellable(settle)
  learn(run, settlement)
  return { replayed: settlement.outcome === 'replayed', refusal: settlement.refusal }
}

function learn(run: Run, { facts }: Settlement): void {
  if (!facts) {
    run.looksWithoutRow++
    return
  }
  const before = run.facts
  run.looksWithoutRow = 0
  run.facts = facts
  run.releasesAtMs = facts.expiresAt ? Date.parse(facts.expiresAt) : run.releasesAtMs
  run.ended = facts.status !== 'pending'
  if (facts.status !== before.status || facts.payment !== before.payment) {
    upsertSearchAttributes([
      { key: RedemptionStatusKey, value: facts.status },
      ...(facts.payment ? [{ key: RedemptionPayment, value: facts.payment }] : []),
    ])
  }
}

function ending(run: Run): RedemptionEnding {
  const story = redemptionStory(run.facts)
  setCurrentDetails(story)
  return { redemption: run.input.redemption, status: run.facts.status, story }
}

function begin(input: RedemptionInput): Run {
  return {
    input,
    facts: {
      status: 'pending',
      payment: null,
      reason: null,
      expiresAt: input.releasesAt,
      late: null,
    },
    releasesAtMs: Date.parse(input.releasesAt),
    heard: 0,
    answered: 0,
    looksWithoutRow: 0,
    ended: false,
  }
}

const who = ({ input }: Run) => ({ workspace: input.workspace, redemption: input.redemption })
const now = () => new Date().toISOString()

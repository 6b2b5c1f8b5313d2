import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow'
import type { FulfillmentActivities } from '../activities/fulfillment.ts'
import type { RedemptionActivities, Settlement } from '../activities/redemption.ts'
import { type RedemptionFacts, redemptionSummary } from '../domain/redemption-summary.ts'
import { RedemptionPayment, RedemptionStatusKey } from '../temporal/names.ts'
import type { RedemptionEnding, RunInput, RunWorkflow } from './inputs.ts'
import { Mailbox } from './mailbox.ts'
import type { CancelMessage } from './messages.ts'
import { type Run, writes } from './write.ts'

type Activities = RedemptionActivities & FulfillmentActivities

const write = writes<Activities>()

/**
 * A redemption's row as its run knows it: from its start, from signals, from the answers of its writes. The
 * database decides every race. An end is final: what was read before it may come after it.
 */
export class RedemptionRow {
  readonly input: RunInput
  readonly mailbox: Mailbox<RedemptionFacts>
  /** The facts are presumed: an API of the release before sends none. */
  mustCheck: boolean
  /** An operator cancelled the run in the Temporal UI. */
  isCancelRequested = false
  readonly #waitsIn: RedemptionFacts['status']
  #checksWithoutRow = 0

  /** A row waits in one status; any other ends its run. `expiresAt`: presumed where no facts are sent. */
  constructor(input: RunInput, waitsIn: RedemptionFacts['status'], expiresAt: string) {
    const presumed = { status: waitsIn, payment: null, reason: null, expiresAt, late: null }
    this.input = input
    this.mailbox = new Mailbox<RedemptionFacts>(input.facts ?? presumed, input.revision)
    this.mustCheck = !input.facts
    this.#waitsIn = waitsIn
    CancellationScope.current().cancelRequested.catch(() => {
      this.isCancelRequested = true
      this.mailbox.receive()
    })
  }

  get facts(): RedemptionFacts {
    return this.mailbox.facts
  }

  /** Whether there is something to wait for, by all that has come. */
  async waits(): Promise<boolean> {
    if (!allHandlersFinished()) await condition(allHandlersFinished)
    this.mailbox.handle()
    // facts of a release after this one fail the task, which its worker can do; never the run
    if (typeof this.facts.status !== 'string') throw new TypeError('Facts without a status')
    return this.#isWaiting()
  }

  /** Waits for a change, or until a time (ISO 8601; null: for a change alone). */
  async changedOr(dueAt: string | null, summary: string): Promise<void> {
    setCurrentDetails(redemptionSummary(this.facts))
    if (this.mailbox.shouldContinueAsNew()) {
      const { facts, revision } = this.mailbox
      const known = this.mustCheck ? null : facts
      await continueAsNew<RunWorkflow>({ ...this.input, facts: known, revision })
    }
    await this.mailbox.newsOr(dueAt === null ? null : Date.parse(dueAt), summary)
  }

  /** Writes, and takes the answer. Where the last one left the row waiting, a change comes first, or a minute. */
  async write(run: Run<Activities, Settlement>): Promise<void> {
    setCurrentDetails(redemptionSummary(this.facts))
    const settlement = await this.mailbox.act(
      () => write(run, () => !this.#isWaiting()),
      this.#restMs(),
    )
    if (settlement) this.#learn(settlement)
  }

  /** An operator's cancel. Refused, it is done with, and the row is waited for as before. */
  cancel(run: (message: CancelMessage) => Run<Activities, Settlement>): Promise<void> {
    const operation = `operator:${workflowInfo().runId}`
    const send = run({ operation, fingerprint: operation, reason: 'canceled_by_operator' })
    return this.write(async (activities) => {
      const settlement = await send(activities)
      this.isCancelRequested = false
      return settlement
    })
  }

  /** Does at once what a message of the release before asks for; null where that cannot be done. */
  async obey(run: Run<Activities, Settlement>): Promise<Settlement | null> {
    const settlement = await CancellationScope.nonCancellable(() => write(run))
    if (settlement?.facts) this.#learn(settlement)
    this.mailbox.receive()
    return settlement
  }

  /** What every write names: whose row, and the run's time. */
  moment(): { workspace: string; redemption: string; at: string } {
    const { workspace, redemption } = this.input
    return { workspace, redemption, at: new Date().toISOString() }
  }

  /** What became of it, for the operator who opens the run. */
  ending(): RedemptionEnding {
    const { status, payment } = this.facts
    const summary = redemptionSummary(this.facts)
    setCurrentDetails(summary)
    if (status !== 'missing') {
      upsertSearchAttributes([
        { key: RedemptionStatusKey, value: status },
        ...(payment ? [{ key: RedemptionPayment, value: payment }] : []),
      ])
    }
    return { redemption: this.input.redemption, status, story: summary }
  }

  #isWaiting(): boolean {
    return this.facts.status === this.#waitsIn
  }

  #learn({ facts }: Settlement): void {
    if (!facts) {
      this.#learnMissing()
      return
    }
    const isEnd = facts.status !== this.#waitsIn
    // what came while it was read may be newer, and is acted by first
    if (!isEnd && (!this.#isWaiting() || this.mailbox.hasNews())) return
    this.mailbox.facts = facts
    this.mustCheck = false
    this.#checksWithoutRow = 0
  }

  /** An API of the release before starts a run before it writes the row: that may still be on its way. */
  #learnMissing(): void {
    this.#checksWithoutRow++
    if (this.mailbox.hasNews() || !this.#isWaiting()) return
    if (this.mailbox.revision === null && this.#checksWithoutRow === 1) return
    this.mailbox.facts = { ...this.facts, status: 'missing' }
  }

  #restMs(): number | undefined {
    const { creationWindowMs } = this.input
    const isMissing = this.#checksWithoutRow > 0 && creationWindowMs !== undefined
    return isMissing ? 2 * creationWindowMs : undefined
  }
}

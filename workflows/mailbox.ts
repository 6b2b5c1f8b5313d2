import {
  allHandlersFinished,
  condition,
  defineSignal,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import { type Row, rowChanged } from './messages.ts'

// Between two actions of which the first left something to do: a minute of it is a handful of events.
const REST_MS = 60_000

/**
 * What a run was signalled of its row, and whether it has acted by that. A signal that repeats another, or is
 * older than one that came before it, is none. A run takes note of all that came (`handle`, `isQuiet`)
 * right before it returns or continues as new; between the two nothing is awaited, or a signal would be lost.
 */
export class Mailbox<Facts> {
  /** What the row says, as far as the run knows. */
  facts: Facts
  /** Orders signals; null where none brought facts yet. */
  #revision: number | null
  #signalsReceived = 0
  #signalsHandled = 0
  #hasActed = false

  /** With what the run was started with. Must be there before the run awaits anything. */
  constructor(facts: Facts, revision: number | null = null) {
    this.facts = facts
    this.#revision = revision
    setHandler(defineSignal<[Row<Facts>]>(rowChanged.name), (row) => this.#receiveRow(row))
  }

  get revision(): number | null {
    return this.#revision
  }

  /** Counts what came without facts: an operator's cancel, a signal of the release before. */
  receive(): void {
    this.#signalsReceived++
  }

  #receiveRow({ facts, revision }: Row<Facts>): void {
    if (this.#revision !== null && revision <= this.#revision) return
    this.facts = facts
    this.#revision = revision
    this.receive()
  }

  /** All that came so far is being acted by from here on. */
  handle(): void {
    if (this.hasNews()) this.#hasActed = false
    this.#signalsHandled = this.#signalsReceived
  }

  hasNews(): boolean {
    return this.#signalsReceived > this.#signalsHandled
  }

  /** Nothing is left to act by, and no message is being answered. */
  isQuiet(): boolean {
    return !this.hasNews() && allHandlersFinished()
  }

  /** Its history has become long, and nothing keeps the run from going on as a new one. */
  shouldContinueAsNew(): boolean {
    return workflowInfo().continueAsNewSuggested && this.isQuiet()
  }

  /**
   * Does what the facts call for. Where that was done before and they still call for something, it waits
   * instead (null), for a change or some time: a minute.
   */
  async act<Answer>(action: () => Promise<Answer>, restMs = REST_MS): Promise<Answer | null> {
    if (this.#hasActed) {
      await this.newsOr(Date.now() + restMs, 'checks its row again')
      return null
    }
    this.#hasActed = true
    return action()
  }

  /** What was read replaces the facts, unless newer ones came meanwhile. */
  learn(facts: Facts): void {
    if (!this.hasNews()) this.facts = facts
  }

  /** Waits for news, or until a time (milliseconds since 1970; null: for news alone). */
  async newsOr(untilMs: number | null, summary?: string): Promise<void> {
    this.#hasActed = false
    const hasNews = () => this.hasNews()
    if (untilMs === null) return condition(hasNews)
    await condition(hasNews, Math.max(untilMs - Date.now(), 1), summary ? { summary } : {})
  }
}

/** ISO 8601; null: never. */
export const isDue = (at: string | null): boolean => at !== null && Date.parse(at) <= Date.now()

import { allHandlersFinished, condition, defineSignal, setHandler } from '@temporalio/workflow'
import { type Row, rowChanged } from './messages.ts'

/**
 * What a run was told of its row, and whether it has acted by that. A signal that repeats another, or is
 * older than one that came before it, is none. A run looks whether its mailbox is quiet right before it
 * returns or continues as new; between the two nothing is awaited, or a signal would be lost.
 */
export class Mailbox<Facts> {
  /** What the row says, as far as the run knows. */
  facts: Facts
  /** Orders signals; null where none brought facts yet. */
  #revision: number | null
  #signalsReceived = 0
  #signalsHandled = 0

  /** With the facts that the run was started with. Must be there before the run awaits anything. */
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
    this.#signalsHandled = this.#signalsReceived
  }

  hasNews(): boolean {
    return this.#signalsReceived > this.#signalsHandled
  }

  /** Nothing is left to act by, and no message is being answered. */
  isQuiet(): boolean {
    return !this.hasNews() && allHandlersFinished()
  }

  /** Waits for news, or until a time (milliseconds since 1970; null: for news alone). */
  async newsOr(untilMs: number | null, summary?: string): Promise<void> {
    const isAwake = () => this.hasNews()
    if (untilMs === null) return condition(isAwake)
    await condition(isAwake, Math.max(untilMs - Date.now(), 1), summary ? { summary } : {})
  }
}

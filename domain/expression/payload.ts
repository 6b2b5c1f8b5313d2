import { ExpressionProblem } from './tree.ts'
import type { Value } from './value.ts'

// A list from a payload counts by its items, so that none can hold up a till.
const MOST_STEPS = 5_000 // of one expression
const MOST_STEPS_IN_ALL = 20_000 // of an event: some 10 ms of a core that has nothing else to do
const STEPS_A_LOOK = 256
const MOST_EMITTED = 1_000_000 // characters of JSON, some 30 times the largest payload

/** The reactors of an event took more time than it may; nothing has been done. */
export class TooSlow extends Error {}

/** An event's payload, as all expressions of its reactors see it, and what they may cost together. */
export class Payload {
  readonly root: unknown
  /** What a path found, by its text: looked up once, whoever asks. */
  readonly found = new Map<string, Value>()
  readonly #isLate: () => boolean
  #steps = 0
  #expression = 0
  #emitted = 0
  #size: number | undefined

  /** `isLate` is asked now and then; once it is true, TooSlow is thrown. */
  constructor(root: unknown, isLate: () => boolean = () => false) {
    this.root = root
    this.#isLate = isLate
  }

  /** Another expression begins. */
  begin(): void {
    this.#expression = this.#steps
  }

  /** Throws ExpressionProblem, at `at`, where the expression or the event has no steps left. */
  step(at: number, count = 1): void {
    const looked = Math.floor(this.#steps / STEPS_A_LOOK)
    this.#steps += count
    if (this.#steps - this.#expression > MOST_STEPS) {
      throw new ExpressionProblem(`takes more than ${MOST_STEPS} steps`, at)
    }
    if (this.#steps > MOST_STEPS_IN_ALL) {
      const message = `the event's reactors take more than ${MOST_STEPS_IN_ALL} steps in all`
      throw new ExpressionProblem(message, at)
    }
    if (Math.floor(this.#steps / STEPS_A_LOOK) > looked && this.#isLate()) {
      throw new TooSlow('the reactors of the event take too long')
    }
  }

  /** Counts what a reactor passes on; its own payload is measured once. */
  emit(value: unknown): void {
    this.#size ??= lengthOf(this.root)
    this.#emitted += value === this.root ? this.#size : lengthOf(value)
    if (this.#emitted > MOST_EMITTED) {
      const message = `the event's reactors pass on more than ${MOST_EMITTED} characters in all`
      throw new ExpressionProblem(message, 1)
    }
  }
}

const lengthOf = (value: unknown) => (JSON.stringify(value) ?? '').length

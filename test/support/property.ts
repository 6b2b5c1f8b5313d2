// PROPERTY_RUNS=10000 npx vitest run … makes as many runs, however long they take.
const asked = process.env.PROPERTY_RUNS
const USUAL_RUNS = 60

/**
 * The runs of one property: as many as there is time for within `withinMs` from the first one on, but at
 * least `least`, however slow the machine; never more than `numRuns`, for fast-check's own parameters.
 */
export class Runs {
  readonly numRuns: number
  made = 0
  readonly #least: number
  readonly #withinMs: number
  #until: number | undefined

  constructor({
    withinMs,
    least,
    usual = USUAL_RUNS,
  }: { withinMs: number; least: number; usual?: number }) {
    this.numRuns = Number(asked ?? usual)
    this.#least = least
    this.#withinMs = asked === undefined ? withinMs : Number.POSITIVE_INFINITY
  }

  /** The property's predicate, passed over where its time is over. */
  of<T extends unknown[]>(predicate: (...values: T) => Promise<void>) {
    return async (...values: T): Promise<void> => {
      this.#until ??= performance.now() + this.#withinMs
      if (this.made >= this.#least && performance.now() > this.#until) return
      this.made++
      await predicate(...values)
    }
  }
}

const WITHIN_MS = 200 // sixteen in flight still make eighty a second, whatever Temporal does

/** Where writes wait, one after the other, until a row was sent. */
export class Room {
  readonly #waiting = new Set<() => void>()

  /** Resolves at its turn of `make`, at most after 200 ms. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      const goOn = () => {
        clearTimeout(timer)
        this.#waiting.delete(goOn)
        resolve()
      }
      const timer = setTimeout(goOn, WITHIN_MS)
      this.#waiting.add(goOn)
    })
  }

  /** For the one that has waited the longest. */
  make(): void {
    const [first] = this.#waiting
    first?.()
  }
}

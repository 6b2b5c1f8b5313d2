import type { OnFailure } from '../domain/failure.ts'

// gRPC: CANCELLED (as an expired deadline shows), DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE.
const CANCELLED = 1
const DEADLINE_EXCEEDED = 4
const RESOURCE_EXHAUSTED = 8
const UNAVAILABLE = 14
const OF_THE_CONNECTION: readonly unknown[] = [
  CANCELLED,
  DEADLINE_EXCEEDED,
  RESOURCE_EXHAUSTED,
  UNAVAILABLE,
]

const PROBE_EVERY_MS = 1_000
const MOST_CALLS = 16 // above what any sender wants; halved where the server says that it is too much
const SUCCESSES_FOR_ONE_MORE = 50
const CAUSES = 6 // the client around gRPC: nobody nests deeper

/** No answer within a call's time, or no connection yet: the server may have done it or not. */
export class NoAnswer extends Error {
  readonly code: number
  constructor(message: string, code: number = DEADLINE_EXCEEDED, cause?: unknown) {
    super(message, { cause })
    this.name = 'NoAnswer'
    this.code = code
  }

  /** There is no connection to the server. */
  static disconnected(cause?: unknown): NoAnswer {
    return new NoAnswer('Temporal is not connected', UNAVAILABLE, cause)
  }
}

/** The gRPC status that says that the connection failed; undefined where the call itself was refused. */
export function connectionFailure(error: unknown): number | undefined {
  let one = error
  for (let depth = 0; one instanceof Error && depth < CAUSES; depth++, one = one.cause) {
    if ('code' in one && OF_THE_CONNECTION.includes(one.code)) return Number(one.code)
    if (one.name === 'TransportError') return UNAVAILABLE
  }
  return undefined
}

/**
 * Whether Temporal answers, as the last call of this process found. Once one fails for the connection's sake
 * no other begins but one a second, until one comes through.
 */
export class Breaker {
  #open = false
  #mayProbe = false
  #most = MOST_CALLS
  #successes = 0
  #timer: NodeJS.Timeout | undefined
  readonly #waiting = new Set<() => void>()
  readonly #onOpen: (error: unknown) => void

  /** `onOpen` learns why, once for each time that it opens. */
  constructor(onOpen: (error: unknown) => void = () => {}) {
    this.#onOpen = onOpen
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** Whether a caller that has `inFlight` calls under way, and wants `wanted` at most, may begin one more now. */
  mayBegin(inFlight: number, wanted: number): boolean {
    if (!this.#open) return inFlight < Math.min(wanted, this.#most)
    if (!this.#mayProbe) return false
    this.#mayProbe = false
    return true
  }

  /** Said by who may begin a call and has none to make: another may. */
  giveBack(): void {
    if (this.#open) this.#mayProbe = true
  }

  /** Runs `goOn` whenever a call may begin that could not. */
  whenCallable(goOn: () => void): void {
    this.#waiting.add(goOn)
  }

  /** The server answered, be it by a refusal. */
  answered(): void {
    this.#successes++
    if (this.#successes >= SUCCESSES_FOR_ONE_MORE && this.#most < MOST_CALLS) {
      this.#successes = 0
      this.#most++
    }
    if (!this.#open) return
    this.#open = false
    clearInterval(this.#timer)
    this.#callWaiting()
  }

  /**
   * A call failed by `code`, which is of `connectionFailure`. Returns whether it opens the breaker: where it
   * was open, that says nothing about the call.
   */
  failed(code: number, error: unknown): boolean {
    this.#successes = 0
    if (code === RESOURCE_EXHAUSTED) this.#most = Math.max(1, Math.floor(this.#most / 2))
    if (this.#open) return false
    this.#open = true
    this.#mayProbe = false
    this.#timer = setInterval(() => {
      this.#mayProbe = true
      this.#callWaiting()
    }, PROBE_EVERY_MS)
    this.#timer.unref()
    this.#onOpen(error)
    return true
  }

  #callWaiting(): void {
    for (const goOn of this.#waiting) goOn()
  }
}

/** A breaker that says, once for each time that it opens, that Temporal is away. */
export const reportingBreaker = (onFailure: OnFailure): Breaker =>
  new Breaker((error) => onFailure({ kind: 'temporal_away', error }))

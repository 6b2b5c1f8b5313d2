import type { RequestHandler } from 'express'

/** Counts the requests that this process is answering. */
export class InFlight {
  #requests = 0

  get isAny(): boolean {
    return this.#requests > 0
  }

  readonly count: RequestHandler = (_req, res, next) => {
    this.#requests++
    // after the answer, and where the client went away before it
    res.once('close', () => {
      this.#requests--
    })
    next()
  }
}

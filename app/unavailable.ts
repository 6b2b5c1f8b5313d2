import { isUnavailable } from '../domain/unavailable.ts'

/** A dependency out of reach, with what the caller should know of the outcome; answered as 503. */
export class Unavailable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'Unavailable'
  }
}

/** Runs `send`; where a dependency is out of reach, says `message` instead of the usual sentence. */
export async function orUnavailable<T>(message: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (error) {
    throw isUnavailable(error) ? new Unavailable(message, error) : error
  }
}

import { isUnavailable } from '../domain/unavailable.ts'
import { isConflict } from './retry-on-conflict.ts'

/** A dependency out of reach, with what the caller should know of the outcome; answered as 503. */
export class Unavailable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'Unavailable'
  }
}

/** Whether a write may have been made or not: the answer was lost. A conflict was rolled back, and is tried again. */
export const isUnknown = (error: unknown): boolean => isUnavailable(error) && !isConflict(error)

/** Runs `send`; where a dependency is out of reach, says `message` instead of the usual sentence. */
export async function orUnavailable<T>(message: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (error) {
    throw isUnknown(error) ? new Unavailable(message, error) : error
  }
}

import { AsyncLocalStorage } from 'node:async_hooks'
import type { Client } from '@temporalio/client'

// A call to the engine has this long; after it the outcome is unknown and the caller answers 503.
const CALL_DEADLINE_MS = 10_000

/** The client side of Temporal: where runs are started and messaged. */
export type Engine = { readonly client: Client; readonly taskQueue: string }

const earlier = new AsyncLocalStorage<number>()

/** Runs one call to the engine within its deadline, or an earlier one of `until`. */
export function withinDeadline<T>({ client }: Engine, send: () => Promise<T>): Promise<T> {
  const atMs = Math.min(
    Date.now() + CALL_DEADLINE_MS,
    earlier.getStore() ?? Number.POSITIVE_INFINITY,
  )
  return client.withDeadline(atMs, send)
}

/** Every call to the engine that `send` makes ends by `atMs` (of `Date.now()`), answered or not. */
export const until = <T>(atMs: number, send: () => Promise<T>): Promise<T> =>
  earlier.run(atMs, send)

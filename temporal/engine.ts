import type { Client } from '@temporalio/client'

// A call to the engine has this long; after it the outcome is unknown and the caller answers 503.
const CALL_DEADLINE_MS = 10_000

/** The client side of Temporal: where runs are started and messaged. */
export type Engine = { readonly client: Client; readonly taskQueue: string }

/** Runs one call to the engine within its deadline. */
export function withinDeadline<T>({ client }: Engine, send: () => Promise<T>): Promise<T> {
  return client.withDeadline(Date.now() + CALL_DEADLINE_MS, send)
}

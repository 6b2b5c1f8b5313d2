import type { Client } from '@temporalio/client'
import { NoAnswer } from './breaker.ts'

/** The client side of Temporal: where runs are started and messaged. */
export type Engine = { readonly client: Client; readonly taskQueue: string }

const CALL_MS = 3_000 // a healthy server takes some milliseconds; a hanging one holds a place for as long

/**
 * Runs one call to Temporal for at most `ms` milliseconds; after them it is not known what became of it. The
 * connection repeats a call that it could not send, each time with the whole deadline; so the time is kept
 * here as well, and what comes afterwards is not waited for.
 */
export async function within<T>(
  engine: Engine,
  send: () => Promise<T>,
  ms: number = CALL_MS,
): Promise<T> {
  const call = engine.client.withDeadline(Date.now() + ms, send)
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new NoAnswer(`no answer within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([call, limit])
  } finally {
    clearTimeout(timer)
    call.catch(() => {}) // said already, by the limit
  }
}

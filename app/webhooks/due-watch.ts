import type { Pool } from '../../db/pool.ts'
import { listDueEndpoints } from '../../db/webhook-deliveries.ts'

// How often a workspace is asked for all of its endpoints at work: the most that this adds to a delivery.
const EVERY_MS = 25

/** An endpoint, and its deliveries that are under way already. */
type EndpointAtWork = { endpoint: string; underway: string[] }
type Waiter = { atWork: EndpointAtWork; found: (due: boolean) => void }

export type Watch = {
  /** True once something is due at the endpoint, false once `forMs` are over or it is given up. */
  readonly due: Promise<boolean>
  giveUp(): void
}
type WatchDue = (workspace: string, atWork: EndpointAtWork, forMs: number) => Watch

/**
 * One question to the database for all endpoints of a workspace that are at work, so that a steady
 * flow of events signals no workflow, however many endpoints want them.
 */
export function createDueWatch(pool: Pool): WatchDue {
  const waiting = new Map<string, Set<Waiter>>()

  const check = async (workspace: string, waiters: Set<Waiter>): Promise<void> => {
    while (waiters.size > 0) {
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
      const now = [...waiters]
      const atWork = now.map((waiter) => waiter.atWork)
      // Where the database does not answer each run finds out by itself.
      const due = await listDueEndpoints(pool, workspace, atWork).catch(() => null)
      for (const waiter of now) {
        if (due === null || due.includes(waiter.atWork.endpoint)) waiter.found(true)
      }
    }
    waiting.delete(workspace)
  }

  return (workspace, atWork, forMs) => {
    const waiters = waiting.get(workspace) ?? new Set<Waiter>()
    let giveUp = () => {}
    const due = new Promise<boolean>((resolve) => {
      const limit = setTimeout(() => waiter.found(false), forMs)
      const waiter: Waiter = {
        atWork,
        found: (isDue) => {
          clearTimeout(limit)
          waiters.delete(waiter)
          resolve(isDue)
        },
      }
      giveUp = () => waiter.found(false)
      waiters.add(waiter)
    })
    if (!waiting.has(workspace)) {
      waiting.set(workspace, waiters)
      void check(workspace, waiters)
    }
    return { due, giveUp: () => giveUp() }
  }
}

// Longer than a create request may last: after this, its workflow may take a missing row for a refused one.
export const CREATION_WINDOW_MS = 30_000

/** The shortest hold, 600 ms: a redemption is written within half of its hold, or not at all. */
export const SHORTEST_HOLD_MINUTES = 0.01

/** How long after arming a redemption may still be written; never more than half its hold. Milliseconds. */
export function creationWindowMs(holdMs: number): number {
  return Math.min(CREATION_WINDOW_MS, Math.floor(holdMs / 2))
}

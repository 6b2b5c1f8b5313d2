const SLOW_FOR_MS = 60_000

/**
 * Whose turn it is, where workspaces share threads: one after the other, each with one thread at a time.
 * Those that have lately been slow share a single one, so that another is always there for the others.
 */
export class Turns<Item> {
  readonly #lanes = new Map<string, Item[]>()
  readonly #running = new Set<string>()
  readonly #slowUntil = new Map<string, number>()
  readonly #now: () => number
  #slowRunning = 0

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  waiting(workspace: string): number {
    return this.#lanes.get(workspace)?.length ?? 0
  }

  push(workspace: string, item: Item): void {
    this.#lanes.set(workspace, [...(this.#lanes.get(workspace) ?? []), item])
  }

  /** Ahead of the workspace's others: it has had a turn in vain. */
  pushFirst(workspace: string, item: Item): void {
    this.#lanes.set(workspace, [item, ...(this.#lanes.get(workspace) ?? [])])
  }

  /** The next one that may run, taken out of the queue; `end` is called once it has. */
  next(): { item: Item; end: () => void } | undefined {
    for (const [workspace, lane] of this.#lanes) {
      const slow = this.#isSlow(workspace)
      const [item, ...rest] = lane
      if (item === undefined || this.#running.has(workspace)) continue
      if (slow && this.#slowRunning > 0) continue
      this.#lanes.delete(workspace) // behind the others, if more of it waits
      if (rest.length > 0) this.#lanes.set(workspace, rest)
      this.#running.add(workspace)
      if (slow) this.#slowRunning++
      const end = () => {
        this.#running.delete(workspace)
        if (slow) this.#slowRunning--
      }
      return { item, end }
    }
    return undefined
  }

  /** From now on, for a minute. */
  slow(workspace: string): void {
    this.#slowUntil.set(workspace, this.#now() + SLOW_FOR_MS)
  }

  #isSlow(workspace: string): boolean {
    const until = this.#slowUntil.get(workspace)
    if (until === undefined) return false
    if (until <= this.#now()) this.#slowUntil.delete(workspace)
    return until > this.#now()
  }
}

import { setTimeout as delay } from 'node:timers/promises'
import { describeExit, type Exit } from '../children.ts'

type Running = { exited: Promise<Exit> }

type SuperviseOptions = {
  /** How often in a row it is started again before this gives up; Infinity for always. */
  restarts: number
  /** Aborted when the stack stops. */
  closing: AbortSignal
  onProgress: (line: string) => void
}

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 30_000
const STEADY_AFTER_MS = 60_000 // having run this long, an exit is a new trouble and not the old one

/**
 * Starts a process again whenever it ends by itself, waiting longer each time. `again` resolves
 * when the next one is ready. Resolves when the stack stops; rejects when the process has ended
 * too often in a row.
 */
export async function supervise(
  name: string,
  first: Running,
  again: () => Promise<Running>,
  { restarts, closing, onProgress }: SuperviseOptions,
): Promise<void> {
  let current = first
  let failures = 0
  while (!closing.aborted) {
    const since = performance.now()
    const trouble = describeExit(await current.exited)
    if (closing.aborted) return
    if (performance.now() - since > STEADY_AFTER_MS) failures = 0
    failures++
    if (failures > restarts) throw new Error(`${name} ended by itself too often (${trouble})`)
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS)
    onProgress(`${name} ended by itself (${trouble}); starting it again in ${waitMs / 1000} s`)
    await delay(waitMs, undefined, { signal: closing }).catch(() => {})
    if (closing.aborted) return
    current = await again().then(
      (next) => {
        onProgress(`${name} is back`)
        return next
      },
      (error: unknown) => {
        onProgress(error instanceof Error ? error.message : String(error))
        return FAILED
      },
    )
  }
}

/** Stands for one that did not come up, so that the loop counts it as another end. */
const FAILED: Running = { exited: Promise.resolve({ code: null, signal: null }) }

import { runningChildren } from '../children.ts'
import type { Progress } from '../progress.ts'

/** Who stops before whom: the API takes no more requests, then the worker finishes, then the rest. */
const FIRST_TO_STOP = ['api', 'worker']

// One Ctrl-C arrives once from the terminal and again through npm and tsx, within milliseconds.
const SAME_SIGNAL_MS = 500

type Closing = {
  /** Aborted from the moment that the stack stops. */
  signal: AbortSignal
  /** Stops everything that was started and ends this process. Only the first call counts. */
  close(exitCode: number): Promise<void>
}

/**
 * Makes Ctrl-C, SIGTERM and a closed terminal stop the stack in order, and a second Ctrl-C at once.
 * `before` runs first.
 */
export function closeOnSignals(progress: Progress, before: () => void): Closing {
  const controller = new AbortController()
  let firstAt: number | null = null

  const close = async (exitCode: number) => {
    if (controller.signal.aborted) return
    controller.abort()
    before()
    await stopChildren(progress)
    progress.line('Stopped')
    process.exit(exitCode)
  }
  const onSignal = () => {
    const now = performance.now()
    if (firstAt === null) {
      firstAt = now
      progress.line('Stopping (Ctrl-C again to kill)')
      void close(0)
    } else if (now - firstAt > SAME_SIGNAL_MS) {
      for (const child of runningChildren()) child.kill()
      process.exit(130) // what a shell reports for Ctrl-C
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  return { signal: controller.signal, close }
}

async function stopChildren(progress: Progress) {
  for (const name of FIRST_TO_STOP) {
    await Promise.all(
      runningChildren()
        .filter((child) => child.name === name)
        .map((child) => child.stop()),
    )
  }
  // A start that was under way may still have added one.
  while (runningChildren().length > 0) {
    const names = runningChildren().map(({ name }) => name)
    const stopped = Promise.all(runningChildren().map((child) => child.stop()))
    await progress.during(`stopping ${names.join(', ')}`, stopped)
  }
}

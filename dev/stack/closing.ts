import { onChildrenChange, runningChildren } from '../children.ts'
import { endProcess, identify, isStill, type ProcessIdentity } from '../process-identity.ts'
import type { Progress } from '../progress.ts'
import { readState, writeState } from '../state-file.ts'

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

type ProcessRecord = ProcessIdentity & { name: string; stopSignal: NodeJS.Signals }

const GRACE_MS = 15_000 // a worker drains, Postgres writes a checkpoint

/** Keeps in `file` which processes run for us, so that a later run finds them if we are killed. */
export function recordChildren(file: string) {
  const record = () => {
    const processes = runningChildren().flatMap(({ name, pid, stopSignal }) => {
      const identity = identify(pid)
      return identity === null ? [] : [{ name, stopSignal, ...identity }]
    })
    writeState(file, processes)
  }
  onChildrenChange(record)
}

/** Stops what a run that was killed left running, last started first. */
export async function stopOrphans(file: string, onProgress: (line: string) => void) {
  const orphans = readRecorded(file).filter(isStill).reverse()
  for (const orphan of orphans) {
    onProgress(`Stopping ${orphan.name} (process ${orphan.pid}), left by a run that was killed`)
    const steps = [
      { signal: orphan.stopSignal, waitMs: GRACE_MS },
      { signal: 'SIGKILL', waitMs: GRACE_MS },
    ] as const
    if (!(await endProcess(orphan, steps))) throw new Error(`Process ${orphan.pid} does not stop`)
  }
}

function readRecorded(file: string): ProcessRecord[] {
  const state = readState(file)
  return Array.isArray(state) ? state.filter(isRecorded) : []
}

function isRecorded(value: unknown): value is ProcessRecord {
  if (typeof value !== 'object' || value === null) return false
  return 'pid' in value && 'startedAt' in value && 'name' in value && 'stopSignal' in value
}

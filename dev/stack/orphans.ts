import { onChildrenChange, runningChildren } from '../children.ts'
import { endProcess, identify, isStill, type ProcessIdentity } from '../process-identity.ts'
import { readState, writeState } from '../state-file.ts'

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

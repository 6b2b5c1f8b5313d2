import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { endProcess, identify, type ProcessIdentity } from '../process-identity.ts'

const STOP = [
  { signal: 'SIGINT', waitMs: 20_000 }, // fast: it writes a checkpoint first
  { signal: 'SIGQUIT', waitMs: 5_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
] as const

/**
 * Clears what an earlier run that did not end well left in the data directory: a server that still
 * runs on it is stopped, and a lock file whose process id now belongs to something else is removed,
 * since Postgres itself would take it for a running server. Call it only where nobody else may be
 * using the directory.
 */
export async function clearLeftover(dataDir: string, onProgress: (line: string) => void) {
  const pid = lockedBy(dataDir)
  if (pid === null) return
  const found = identify(pid)
  if (found !== null && isPostgresOn(found)) {
    onProgress(`Stopping the Postgres that an earlier run left behind (process ${pid})`)
    if (!(await endProcess(found, STOP))) throw new Error(`Postgres process ${pid} does not stop`)
  }
  rmSync(join(dataDir, 'postmaster.pid'), { force: true })
}

/** The status that the server with this process id wrote: `starting`, `ready`, ... */
export function statusOf(dataDir: string, pid: number): string | null {
  const lines = lockLines(dataDir)
  return Number(lines[0]) === pid ? (lines[7]?.trim() ?? null) : null
}

function lockedBy(dataDir: string): number | null {
  const pid = Number(lockLines(dataDir)[0])
  return Number.isSafeInteger(pid) && pid > 0 ? pid : null
}

function lockLines(dataDir: string): string[] {
  try {
    return readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return []
  }
}

function isPostgresOn({ command }: ProcessIdentity): boolean {
  return /(^|[/\\])postgres(\.exe)?\s/.test(`${command.split(' ')[0]} `) && / -D /.test(command)
}

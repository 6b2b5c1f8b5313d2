import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const CHECK_EVERY_MS = 50

/** What tells a process from a later one that was given the same id. */
export type ProcessIdentity = { pid: number; startedAt: string; command: string }

/**
 * Who has this process id now, or null where nobody has. `startedAt` is opaque: equal for the same
 * process, different for another one with a reused id on the same boot.
 */
export function identify(pid: number): ProcessIdentity | null {
  if (!Number.isSafeInteger(pid) || pid < 1) return null
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid)
}

/**
 * Whether the process recorded earlier is the one that has the id now. The command is not compared:
 * a process may rename itself or run another program, and stays the same process.
 */
export function isStill(recorded: ProcessIdentity): boolean {
  return identify(recorded.pid)?.startedAt === recorded.startedAt
}

/**
 * Sends the process each signal in turn until it is gone, waiting that long after each. For
 * processes that are not our children; answers whether it is gone.
 */
export async function endProcess(
  recorded: ProcessIdentity,
  steps: ReadonlyArray<{ signal: NodeJS.Signals; waitMs: number }>,
): Promise<boolean> {
  for (const { signal, waitMs } of steps) {
    if (!isStill(recorded)) return true
    process.kill(recorded.pid, signal)
    const until = performance.now() + waitMs
    // Looks again and again, because the system tells nobody but the parent that a process ended.
    while (isStill(recorded) && performance.now() < until) await delay(CHECK_EVERY_MS)
  }
  return !isStill(recorded)
}

function fromProc(pid: number): ProcessIdentity | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the name in parentheses and may hold spaces: count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state, ticks] = [fields[0], fields[19]]
    if (state === 'Z' || ticks === undefined) return null
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return { pid, startedAt: `${boot}:${ticks}`, command }
  } catch {
    return null
  }
}

function fromPs(pid: number): ProcessIdentity | null {
  try {
    const ps = (field: string) =>
      execFileSync('ps', ['-p', String(pid), '-o', `${field}=`], { encoding: 'utf8' }).trim()
    return { pid, startedAt: ps('lstart'), command: ps('command') }
  } catch {
    return null
  }
}

import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'

/** CPU milliseconds by program. */
export type CpuTimes = Record<string, number>

const BUSY_WINDOW_MS = 400 // long enough to see a neighbour, short beside a turn
const TICK_MS = 10 // Linux counts in hundredths of a second, whatever the kernel's own clock

/**
 * CPU time that all processes started by this one have used so far: the contender, its servers and
 * Postgres, without the load itself. Null where there is no /proc to ask. Unlike a throughput it
 * depends little on what else the machine does.
 */
export function childrenCpu(): CpuTimes | null {
  if (process.platform !== 'linux') return null
  const family = descendants(readProcesses(), process.pid)
  const times: CpuTimes = {}
  for (const { pid, name, usedMs } of family) {
    const program = programOf(pid, name)
    times[program] = (times[program] ?? 0) + usedMs
  }
  return times
}

/** What one of `tasks` took between two looks, by program; null where either saw nothing. */
export function cpuPerTask(
  before: CpuTimes | null,
  after: CpuTimes | null,
  tasks: number,
): CpuTimes | null {
  if (before === null || after === null) return null
  const each = Object.entries(after).map(([program, ms]): [string, number] => [
    program,
    (ms - (before[program] ?? 0)) / tasks,
  ])
  return Object.fromEntries(each.filter(([, ms]) => ms > 0))
}

export function total(times: CpuTimes): number {
  return Object.values(times).reduce((sum, ms) => sum + ms, 0)
}

interface Process {
  pid: number
  parent: number
  name: string
  usedMs: number
}

function descendants(processes: Process[], root: number): Process[] {
  const family = new Set([root])
  // A child may have a lower id than its parent once ids have wrapped, hence the repetition.
  for (let before = 0; family.size > before; ) {
    before = family.size
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid)
  }
  return processes.filter(({ pid }) => pid !== root && family.has(pid))
}

function readProcesses(): Process[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))
  return pids.flatMap((pid) => readProcess(Number(pid)) ?? [])
}

function readProcess(pid: number): Process | null {
  const stat = readText(`/proc/${pid}/stat`)
  if (stat === null) return null
  // The second field is the name in brackets, and may hold anything; the third one follows.
  const [open, close] = [stat.indexOf('('), stat.lastIndexOf(')')]
  const fields = stat.slice(close + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12]) // user and system
  const usedMs = (fields[17] === '1' ? exactMs(pid) : null) ?? ticks * TICK_MS
  return { pid, parent: Number(fields[1]), name: stat.slice(open + 1, close), usedMs }
}

/** Of a process with one thread the kernel says nanoseconds: of Postgres's many, what is cut off would add up. */
function exactMs(pid: number): number | null {
  const nanoseconds = readText(`/proc/${pid}/schedstat`)?.split(' ')[0]
  return nanoseconds === undefined ? null : Number(nanoseconds) / 1e6
}

/** A Node process by the file that it runs, such as `api/main`; any other by its own name. */
function programOf(pid: number, name: string): string {
  const command = readText(`/proc/${pid}/cmdline`)?.split('\0') ?? []
  const script = command.find((argument) => argument.endsWith('.ts'))
  return script?.split('/').slice(-2).join('/').replace(/\.ts$/, '') ?? name
}

/** Null where the process has gone meanwhile. */
function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

/** Share of the CPUs in use right now, 0 to 1; asked while nothing of ours runs. */
export async function busyShare(): Promise<number> {
  const before = cpuTimes()
  await delay(BUSY_WINDOW_MS)
  const after = cpuTimes()
  return 1 - (after.idle - before.idle) / (after.total - before.total)
}

function cpuTimes(): { idle: number; total: number } {
  const times = cpus().map((cpu) => cpu.times)
  return {
    idle: times.reduce((sum, time) => sum + time.idle, 0),
    total: times.reduce((sum, t) => sum + t.idle + t.user + t.sys + t.nice + t.irq, 0),
  }
}

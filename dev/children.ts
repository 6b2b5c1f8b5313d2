import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

export type Exit = { code: number | null; signal: NodeJS.Signals | null }

export type Child = {
  name: string
  pid: number
  /** What asks it to stop. */
  stopSignal: NodeJS.Signals
  /** Resolves when the process is gone, however that came about; never rejects. */
  exited: Promise<Exit>
  running(): boolean
  /** Asks it to stop, and does not wait. */
  signal(): void
  /** Asks it to stop, insists after `graceMs`, and resolves when it is gone. */
  stop(): Promise<Exit>
  /** SIGKILL, at once. */
  kill(): void
}

type ChildOptions = {
  name: string
  command: string
  args: string[]
  /** Standard output and standard error go there; a file, so that they outlive this process. */
  logFile: string
  cwd?: string
  env?: NodeJS.ProcessEnv
  uid?: number
  gid?: number
  stopSignal?: NodeJS.Signals
  graceMs?: number
}

const DEFAULT_GRACE_MS = 10_000 // longer than a worker's drain and an API's last requests
const LOG_KEPT_BYTES = 20 * 1024 * 1024 // beyond it a log starts anew and one old one is kept
const TAIL_BYTES = 4_000 // the end of a log that an error message quotes
const TAIL_LINES = 20 // what the compiler refuses stands above a dozen lines of its own stack

const running = new Set<Child>()
const listeners = new Set<() => void>()

/** Every process started here that has not ended, oldest first. */
export function runningChildren(): Child[] {
  return [...running]
}

/** Calls the listener after each start and each end of a child. */
export function onChildrenChange(listener: () => void) {
  listeners.add(listener)
}

// The last resort when this process ends without having stopped its children; it cannot wait.
process.on('exit', () => {
  for (const child of running) child.signal()
})

/**
 * Starts a process in a session of its own, so that Ctrl-C in the terminal reaches only us and we
 * stop our children in order. Rejects where it cannot be started at all.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const log = openLog(options.logFile)
  const started = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    uid: options.uid,
    gid: options.gid,
    stdio: ['ignore', log, log],
    detached: true,
  })
  closeSync(log)
  const exited = new Promise<Exit>((resolve) => {
    started.once('exit', (code, signal) => resolve({ code, signal }))
  })
  await once(started, 'spawn')
  const child = asChild(started, exited, options)
  running.add(child)
  announce()
  void exited.then(() => {
    running.delete(child)
    announce()
  })
  return child
}

function asChild(started: ChildProcess, exited: Promise<Exit>, options: ChildOptions): Child {
  const { name, stopSignal = 'SIGTERM', graceMs = DEFAULT_GRACE_MS } = options
  if (started.pid === undefined) throw new Error(`${name} has no process id`)
  const isRunning = () => started.exitCode === null && started.signalCode === null
  const signal = () => void started.kill(stopSignal)
  return {
    name,
    pid: started.pid,
    stopSignal,
    exited,
    running: isRunning,
    signal,
    kill: () => void started.kill('SIGKILL'),
    stop: async () => {
      if (!isRunning()) return await exited
      signal()
      const insist = setTimeout(() => started.kill('SIGKILL'), graceMs)
      const exit = await exited
      clearTimeout(insist)
      return exit
    },
  }
}

function announce() {
  for (const listener of listeners) listener()
}

/** The last lines of a log, for a message about a process that failed. */
export function tailOf(logFile: string, lines = TAIL_LINES): string {
  try {
    const text = readFileSync(logFile).subarray(-TAIL_BYTES).toString('utf8')
    return text.trimEnd().split('\n').slice(-lines).join('\n')
  } catch {
    return ''
  }
}

/** How an exit reads in a message. */
export function describeExit({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`
}

function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true })
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > LOG_KEPT_BYTES) renameSync(file, `${file}.1`)
  return openSync(file, 'a', 0o600)
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../dev/ports.ts'
import { busyShare } from './cpu-time.ts'
import type { Place } from './place.ts'

export interface StartResult {
  /** Seconds from `npm start` to ready on an empty data directory. */
  first: number
  /** Likewise on one that an earlier start has filled. */
  again: number[]
  /** Share of the CPUs that others used before the first start, 0 to 1. */
  busyBefore: number
  /** Of the Node that npm runs. */
  node: string
}

const PROJECT = join(import.meta.dirname, '..')
const STOP_WITHIN_MS = 60_000

/**
 * Times `npm start` as a person would see it: from the command to stack.json, which it writes when
 * all is ready, confirmed by the API's own readiness. The Temporal binary is in the cache already.
 */
export async function timeStart(place: Place, rounds: number): Promise<StartResult> {
  const dataDir = join(place.scratch, 'start')
  const busyBefore = await busyShare()
  const first = await startOnce(dataDir)
  place.onProgress(`first start  ${first.toFixed(1)} s`)
  const again: number[] = []
  for (let round = 0; round < rounds; round++) {
    const seconds = await startOnce(dataDir)
    place.onProgress(`next start   ${seconds.toFixed(1)} s`)
    again.push(seconds)
  }
  return { first, again, busyBefore, node: await nodeOfPath() }
}

async function startOnce(dataDir: string): Promise<number> {
  const port = await freePort()
  const ready = join(dataDir, 'stack.json')
  const started = performance.now()
  const stack = spawn('npm', ['start'], {
    cwd: PROJECT,
    env: { ...process.env, DATA_DIR: dataDir, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // a group of its own, as a terminal gives it, for Ctrl-C
  })
  const exited = once(stack, 'exit')
  let output = ''
  const isReady = new Promise<void>((resolve) => {
    stack.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (existsSync(ready)) resolve()
    })
  })
  const gone = exited.then(() => {
    throw new Error(`npm start ended by itself:\n${output}`)
  })
  try {
    await Promise.race([isReady, gone])
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`)
    if (!answer.ok) throw new Error(`ready, it said, but /health/ready answers ${answer.status}`)
    return (performance.now() - started) / 1_000
  } finally {
    gone.catch(() => {})
    await interrupt(stack.pid, exited)
  }
}

/** Ctrl-C, and SIGKILL to the group where that is not enough. */
async function interrupt(pid: number | undefined, exited: Promise<unknown>): Promise<void> {
  if (pid === undefined) return
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(-pid, name)
    } catch {
      // it is gone already
    }
  }
  signal('SIGINT')
  const insist = setTimeout(() => signal('SIGKILL'), STOP_WITHIN_MS)
  await exited
  clearTimeout(insist)
}

async function nodeOfPath(): Promise<string> {
  const child = spawn('node', ['--version'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = await Promise.all([once(child.stdout, 'data'), once(child, 'exit')])
  return String(said[0]).trim()
}

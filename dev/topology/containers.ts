import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Child, describeExit, type Exit, startChild, tailOf } from '../children.ts'
import { runsOnce, type Service, type Services, startOrder } from './compose-file.ts'
import type { Differences } from './differences.ts'

/** What an image is on this machine. */
export type LocalImage = {
  /** What it runs unless the service says otherwise. */
  command: string[]
  env: Record<string, string>
  workdir: string
  /** Folders of its programs, put before the system's. */
  path: string[]
}

export type Machine = {
  services: Services
  imageOf(service: Service): LocalImage
  differences: Differences
  logs: string
  onProgress: (line: string) => void
}

/** Services that run, and how to stop them all, last started first. */
type Running = { stop(): Promise<Map<string, Exit>> }

const ONCE_WITHIN_MS = 120_000
const HEALTHY_WITHIN_MS = 120_000
const CHECK_EVERY_MS = 500

/** Starts every service but Postgres in the order of their dependencies, each once its own are as they must be. */
export async function up(machine: Machine): Promise<Running> {
  const started: Child[] = []
  const stop = async () => {
    const exits = new Map<string, Exit>()
    for (const child of started.toReversed()) exits.set(child.name, await child.stop())
    return exits
  }
  try {
    for (const name of startOrder(machine.services).filter((each) => each !== 'postgres')) {
      const began = performance.now()
      const child = await start(machine, name)
      const once = runsOnce(serviceOf(machine, name))
      if (!once) started.push(child)
      await (once ? untilDone(machine, child) : untilHealthy(machine, child))
      const seconds = ((performance.now() - began) / 1000).toFixed(1)
      machine.onProgress(`${name} ${once ? 'done' : 'healthy'} after ${seconds} s`)
    }
    return { stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Runs a command in a service's image with its environment, as `docker compose run` does. */
export async function runIn(machine: Machine, name: string, command: string[]): Promise<string> {
  const { words, options } = invocation(machine, name, command)
  const [program = '', ...args] = words
  const { stdout } = await promisify(execFile)(program, args, {
    ...options,
    timeout: ONCE_WITHIN_MS,
  })
  return stdout
}

async function start(machine: Machine, name: string): Promise<Child> {
  const { words, options } = invocation(machine, name)
  const [command = '', ...args] = words
  return await startChild({
    name,
    command,
    args,
    logFile: logOf(machine, name),
    graceMs: 30_000,
    ...options,
  })
}

function serviceOf({ services }: Machine, name: string): Service {
  const service = services[name]
  if (service === undefined) throw new Error(`There is no service ${name}`)
  return service
}

function invocation(machine: Machine, name: string, given?: string[]) {
  const { differences } = machine
  const service = serviceOf(machine, name)
  const image = machine.imageOf(service)
  const words = (given ?? service.command ?? image.command).map(differences.here)
  const own = Object.entries(service.environment).map(([key, value]): [string, string] => [
    key,
    differences.here(value),
  ])
  const env: Record<string, string> = {
    HOME: image.workdir, // as an engine sets it from the image's users
    PATH: [...image.path, process.env.PATH].join(':'),
    ...image.env,
    ...Object.fromEntries(own),
    ...differences.environmentOf(name),
  }
  return { words, options: { cwd: image.workdir, env } }
}

async function untilDone(machine: Machine, child: Child) {
  const timer = setTimeout(() => child.kill(), ONCE_WITHIN_MS)
  const exit = await child.exited
  clearTimeout(timer)
  if (exit.code !== 0) throw failure(machine, child.name, describeExit(exit))
}

/** Runs the service's own health check until it passes. */
async function untilHealthy(machine: Machine, child: Child) {
  const check = machine.services[child.name]?.healthcheck?.test?.slice(1)
  if (check === undefined) throw new Error(`${child.name} has no health check`)
  const until = performance.now() + HEALTHY_WITHIN_MS
  for (;;) {
    const said = await runIn(machine, child.name, check).then(() => null, String)
    if (said === null) return
    if (!child.running()) throw failure(machine, child.name, describeExit(await child.exited))
    if (performance.now() > until) throw failure(machine, child.name, `not healthy: ${said}`)
    await delay(CHECK_EVERY_MS)
  }
}

const logOf = (machine: Machine, name: string) => join(machine.logs, `${name}.log`)

function failure(machine: Machine, name: string, what: string): Error {
  return new Error(`${name}: ${what}. The end of its log:\n${tailOf(logOf(machine, name), 30)}`)
}

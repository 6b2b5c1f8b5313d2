import { freePort } from '../ports.ts'
import { readState, writeState } from '../state-file.ts'

/** Which port each server of the stack listens with, on 127.0.0.1. */
export type StackPorts = {
  api: number
  postgres: number
  temporal: number
  temporalUi: number
  workerMetrics: number
}

const NAMES: Record<keyof StackPorts, string> = {
  api: 'the API',
  postgres: 'Postgres',
  temporal: 'Temporal',
  temporalUi: 'the Temporal UI',
  workerMetrics: "the worker's metrics",
}

/** What a person would look for first. */
const USUAL: StackPorts = {
  api: 3000,
  postgres: 5432,
  temporal: 7233,
  temporalUi: 8233,
  workerMetrics: 9464,
}

/**
 * Chooses the ports: the API's from `PORT`, the others as in the last run, which `file` remembers.
 * Where one is taken a free one stands in for it, and a line says so.
 */
export async function choosePorts(
  file: string,
  env: NodeJS.ProcessEnv,
  onProgress: (line: string) => void,
): Promise<StackPorts> {
  const wanted = {
    ...USUAL,
    ...remembered(file),
    api: portFrom(env, 'PORT') ?? USUAL.api,
    ...(env.WORKER_METRICS_PORT ? { workerMetrics: portFrom(env, 'WORKER_METRICS_PORT') } : {}),
  }
  const chosen = { ...USUAL }
  const given = new Set<number>()
  for (const key of Object.keys(USUAL).filter(isKey)) {
    const port = await freeAmong(given, wanted[key])
    given.add(port)
    chosen[key] = port
    if (wanted[key] && port !== wanted[key]) {
      onProgress(`Port ${wanted[key]} is taken by another process: ${NAMES[key]} uses ${port}`)
    }
  }
  return chosen
}

export function rememberPorts(file: string, ports: StackPorts) {
  writeState(file, ports)
}

async function freeAmong(given: Set<number>, wanted: number | undefined): Promise<number> {
  for (let preferred = wanted || undefined; ; preferred = undefined) {
    const port = await freePort(given.has(preferred ?? 0) ? undefined : preferred)
    if (!given.has(port)) return port
  }
}

function remembered(file: string): Partial<StackPorts> {
  const state = readState(file)
  if (typeof state !== 'object' || state === null) return {}
  const known = Object.entries(state).filter(([key, port]) => isKey(key) && isPort(port))
  return Object.fromEntries(known)
}

function isKey(key: string): key is keyof StackPorts {
  return key in NAMES
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535
}

/** 0 means any free port. */
function portFrom(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[name]
  if (!text) return undefined
  const port = Number(text)
  if (!isPort(port)) throw new Error(`${name} is ${text}, which is not a port (0 to 65535)`)
  return port
}

import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'

const Condition = z.enum(['service_started', 'service_healthy', 'service_completed_successfully'])

const Service = z.looseObject({
  image: z.string(),
  build: z.string().optional(),
  user: z.string().optional(),
  restart: z.string(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z.record(z.string(), z.object({ condition: Condition })).default({}),
  healthcheck: z
    .looseObject({ test: z.array(z.string()).optional(), disable: z.boolean().optional() })
    .optional(),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
})

const Compose = z.looseObject({ services: z.record(z.string(), Service) })

export type Service = z.infer<typeof Service>
export type Services = Record<string, Service>

/** The file as YAML has it, merge keys resolved, nothing interpolated. */
export function readYaml(file: string): unknown {
  return parse(readFileSync(file, 'utf8'), { merge: true })
}

/** The services of a compose file, with these variables put in. Throws where a required one is missing. */
export function readServices(file: string, variables: Record<string, string>): Services {
  return Compose.parse(interpolated(readYaml(file), variables)).services
}

/** As compose does it: `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$$` in every scalar. */
export function interpolated(value: unknown, variables: Record<string, string>): unknown {
  if (typeof value === 'string') return interpolate(value, variables)
  if (Array.isArray(value)) return value.map((item) => interpolated(item, variables))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, interpolated(item, variables)]),
  )
}

function interpolate(text: string, variables: Record<string, string>): string {
  return text.replaceAll(
    /\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (_, name?: string, kind?: string, rest: string = ''): string => {
      if (name === undefined) return '$'
      const value = variables[name]
      if (value) return value
      if (kind === '?') throw new Error(`${name} is required: ${rest}`)
      return kind === '-' ? rest : ''
    },
  )
}

/** The services in an order in which each comes after those it depends on. */
export function startOrder(services: Services): string[] {
  const order: string[] = []
  const add = (name: string, path: string[]) => {
    if (order.includes(name)) return
    if (path.includes(name)) throw new Error(`${[...path, name].join(' -> ')} is a circle`)
    const service = services[name]
    if (service === undefined)
      throw new Error(`${path.at(-1)} depends on ${name}, which is not there`)
    for (const dependency of Object.keys(service.depends_on)) add(dependency, [...path, name])
    order.push(name)
  }
  for (const name of Object.keys(services)) add(name, [])
  return order
}

/** Whether the service is a command that ends, and is only started again where it failed. */
export function runsOnce({ restart }: Service): boolean {
  return restart.startsWith('on-failure')
}

import { freePort } from '../ports.ts'

/**
 * What is not as in the containers: here all share one network and one file system. Everything
 * else of docker-compose.yml is used as it stands.
 */
export type Differences = {
  ports: Ports
  /** Puts this machine's addresses and folders for the containers' into a value. */
  here(text: string): string
  /** Environment that a service gets on top, because its port in the container is taken here. */
  environmentOf(service: string): Record<string, string>
}

const PORTS = [
  'api',
  'workerMetrics',
  'ui',
  'temporal',
  'temporalHttp',
  'temporalMetrics',
  'history',
  'matching',
  'systemWorker',
  'frontendMembers',
  'historyMembers',
  'matchingMembers',
  'systemWorkerMembers',
] as const

type Ports = Record<(typeof PORTS)[number] | 'postgres', number>

/** `mounts` are folders by their place in the containers. */
export async function findDifferences(
  postgres: number,
  mounts: Record<string, string>,
): Promise<Differences> {
  const ports = await choosePorts(postgres)
  const places: Array<[RegExp, string]> = [
    [/(?<=^|@)postgres:5432\b/g, `127.0.0.1:${ports.postgres}`],
    [/\btemporal:7233\b/g, `127.0.0.1:${ports.temporal}`],
    [/\b127\.0\.0\.1:7243\b/g, `127.0.0.1:${ports.temporalHttp}`],
    [/\b127\.0\.0\.1:8080\b/g, `127.0.0.1:${ports.ui}`],
    [/\b127\.0\.0\.1:9464\b/g, `127.0.0.1:${ports.workerMetrics}`],
    [/\b127\.0\.0\.1:3000\b/g, `127.0.0.1:${ports.api}`],
    ...Object.entries(mounts).map(([there, here]): [RegExp, string] => [
      new RegExp(`^${there}(?=/)`, 'g'),
      here,
    ]),
  ]
  const environments = environmentsOf(ports)
  return {
    ports,
    here: (text) => places.reduce((value, [there, here]) => value.replaceAll(there, here), text),
    environmentOf: (service) => environments[service] ?? {},
  }
}

function environmentsOf(ports: Ports): Record<string, Record<string, string>> {
  const product = {
    HOST: '127.0.0.1',
    PORT: `${ports.api}`,
    WORKER_METRICS_PORT: `${ports.workerMetrics}`,
  }
  return {
    'temporal-schema': { SQL_HOST: '127.0.0.1', SQL_PORT: `${ports.postgres}` },
    temporal: {
      BIND_ON_IP: '127.0.0.1',
      PROMETHEUS_ENDPOINT: `127.0.0.1:${ports.temporalMetrics}`,
      FRONTEND_GRPC_PORT: `${ports.temporal}`,
      FRONTEND_HTTP_PORT: `${ports.temporalHttp}`,
      FRONTEND_MEMBERSHIP_PORT: `${ports.frontendMembers}`,
      HISTORY_GRPC_PORT: `${ports.history}`,
      HISTORY_MEMBERSHIP_PORT: `${ports.historyMembers}`,
      MATCHING_GRPC_PORT: `${ports.matching}`,
      MATCHING_MEMBERSHIP_PORT: `${ports.matchingMembers}`,
      WORKER_GRPC_PORT: `${ports.systemWorker}`,
      WORKER_MEMBERSHIP_PORT: `${ports.systemWorkerMembers}`,
    },
    'temporal-ui': { TEMPORAL_UI_PORT: `${ports.ui}` },
    worker: product,
    api: product,
  }
}

// Postgres keeps the ports of Temporal's services as smallint: those that the system chooses for
// anybody who asks are beyond it.
const LOWEST = 20_000
const BEYOND = 32_768

async function choosePorts(postgres: number): Promise<Ports> {
  const ports: Partial<Ports> = { postgres }
  let candidate = LOWEST + Math.floor(Math.random() * (BEYOND - LOWEST) * 0.9)
  for (const name of PORTS) {
    while ((await freePort(candidate)) !== candidate) candidate++
    ports[name] = candidate++
  }
  if (!isComplete(ports) || candidate > BEYOND) throw new Error('No free ports to be had')
  return ports
}

function isComplete(ports: Partial<Ports>): ports is Ports {
  return PORTS.every((name) => ports[name] !== undefined)
}

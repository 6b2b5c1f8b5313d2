import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createCommands } from '../app/index.ts'
import { migrate } from '../db/migrate.ts'
import { createOwner } from '../db/owner.ts'
import { createPool } from '../db/pool.ts'
import { startChild } from '../dev/children.ts'
import { seedWorkspace } from '../dev/demo.ts'
import { startPostgres } from '../dev/postgres.ts'
import { temporalBinary } from '../dev/temporal/binary.ts'
import { startTemporal } from '../dev/temporal/server.ts'
import { newId } from '../domain/ids.ts'
import { sendAfterCommits } from '../temporal/after-commit.ts'
import { connectEngine } from '../temporal/connect.ts'
import { SEARCH_ATTRIBUTES } from '../temporal/names.ts'
import { thisMachine } from './machine.ts'

/**
 * `tsx bench/webhooks.ts`: what webhooks cost a workspace without endpoints, deliveries per second,
 * and the time from commit to delivery, against receivers on this machine. Durable Postgres, the
 * worker in a process of its own. Writes bench/results/webhooks.json.
 */
const LOCAL = ['127.0.0.1']
const SETTLED_MS = 4_000
const folder = await mkdtemp(join(tmpdir(), 'vinr-bench-'))
const [postgres, temporal] = await Promise.all([
  startPostgres({ dataDir: join(folder, 'postgres') }),
  temporalBinary({}).then((binary) =>
    startTemporal({
      binary,
      namespace: 'default',
      searchAttributes: Object.fromEntries(
        SEARCH_ATTRIBUTES.map(({ name }) => [name, 'Keyword' as const]),
      ),
    }),
  ),
])
const on = (user: string) => `postgres://${user}:${user}@127.0.0.1:${postgres.port}/bench`
await createOwner(postgres.adminUrl, on('bench_owner'))
await migrate({ ownerUrl: on('bench_owner'), applicationUrl: on('bench_app') })
const pool = createPool({ url: on('bench_app') })
const owner = createPool({ url: on('bench_owner'), max: 1 })
const engine = await connectEngine({
  address: temporal.address,
  namespace: 'default',
  taskQueue: 'engagement',
})
const onFailure = ({ error }: { error: unknown }) => console.error(error)
const sender = sendAfterCommits({ pool, engine, onFailure })
const commands = createCommands({ pool, engine, allowedAddresses: LOCAL })
/** Another pool, of whose commits nobody is told. */
const quietPool = createPool({ url: on('bench_app') })

/** Posts one point; the ptx's id, and when its commit was known. */
async function post(workspace: string, act = commands) {
  const { transaction } = await act.postTransaction({
    workspace,
    account: 'loy_abc123',
    type: 'adjust',
    amount: 1,
    reason: 'bench',
    operation: newId('op'),
    fingerprint: '',
    at: new Date().toISOString(),
    expiresAt: null,
    batch: null,
    source: null,
    metadata: {},
    allowNegative: false,
  })
  return { id: String(transaction?.id), atMs: performance.now() }
}

/** Receives on many paths of one port; `onEvent` gets the path's number and the ptx. */
async function receive(
  dead: ReadonlySet<number>,
  onEvent: (endpoint: number, ptx: string) => void,
) {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const endpoint = Number(request.url?.slice(1))
      if (dead.has(endpoint)) return // never answers
      response.end()
      onEvent(endpoint, JSON.parse(Buffer.concat(chunks).toString()).data.id)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: (endpoint: number) => `http://127.0.0.1:${address.port}/${endpoint}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

function signal() {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

async function shop(endpoints: number, url: (endpoint: number) => string) {
  const workspace = newId('ws')
  await seedWorkspace(pool, workspace, 'Bench')
  const request = { workspace, route: '', key: null, fingerprint: '' }
  for (let n = 0; n < endpoints; n++) {
    await commands.createWebhookEndpoint(request, {
      workspace,
      id: newId('we'),
      url: url(n),
      enabledEvents: ['loyalty.points.earned'],
      description: null,
      metadata: {},
    })
  }
  return workspace
}

const quantile = (sorted: number[], q: number) =>
  Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0) * 10) / 10

/** Events one by one, `everyMs` apart; milliseconds from commit to the receiver's last byte. */
async function latency(endpoints: number, dead: number, events: number, everyMs: number) {
  const committed = new Map<string, number>()
  const got: { ptx: string; atMs: number }[] = []
  const wanted = events * (endpoints - dead)
  const all = signal()
  const deadOnes = new Set(Array.from({ length: dead }, (_, n) => n))
  const receiver = await receive(deadOnes, (_endpoint, ptx) => {
    got.push({ ptx, atMs: performance.now() })
    if (got.length >= wanted) all.resolve()
  })
  const workspace = await shop(endpoints, receiver.url)
  await post(workspace) // starts the endpoints' workflows, once and for all
  await delay(SETTLED_MS)
  got.length = 0
  for (let n = 0; n < events; n++) {
    const { id, atMs } = await post(workspace)
    committed.set(id, atMs)
    await delay(everyMs)
  }
  await all.promise
  receiver.close()
  const ms = got.map(({ ptx, atMs }) => atMs - (committed.get(ptx) ?? 0)).sort((a, b) => a - b)
  return { endpoints, dead, events, everyMs, p50: quantile(ms, 0.5), p99: quantile(ms, 0.99) }
}

/** A backlog written while nobody is woken; deliveries per second from the first wake-up. */
async function throughput(endpoints: number, dead: number, events: number) {
  const all = signal()
  let got = 0
  const wanted = events * (endpoints - dead)
  const deadOnes = new Set(Array.from({ length: dead }, (_, n) => n))
  const receiver = await receive(deadOnes, () => {
    if (++got >= wanted) all.resolve()
  })
  const workspace = await shop(endpoints, receiver.url)
  await delay(SETTLED_MS) // the signal of what the endpoints' creation wrote has passed
  const quiet = createCommands({ pool: quietPool, engine, allowedAddresses: LOCAL })
  for (let n = 0; n < events; n++) await post(workspace, quiet)
  const startMs = performance.now()
  sender.deliveriesWritten(workspace)
  await all.promise
  const seconds = (performance.now() - startMs) / 1_000
  receiver.close()
  return { endpoints, dead, deliveries: wanted, perSecond: Math.round(wanted / seconds) }
}

const POSTS = 1_000

/** Many in one statement and one commit, so that neither the network nor the disk is what is measured. */
const posts = (workspace: string, name: string, count: number) =>
  pool.query(
    `select ledger.points_post($1, 'loy_abc123', 'adjust', 1, 'bench', $2 || ':' || n, '', now(), null, null, null, '{}', false)
     from generate_series(1, $3::int) n`,
    [workspace, name, count],
  )

/** Microseconds of one points_post in a workspace without endpoints, with and without the look for them. */
async function hotPath() {
  const workspace = newId('ws')
  await seedWorkspace(pool, workspace, 'Bench')
  const real = (
    await owner.query<{ d: string }>(
      `select pg_get_functiondef('ledger_private.webhook_deliver'::regproc) as d`,
    )
  ).rows[0]?.d
  const nothing = `create or replace function ledger_private.webhook_deliver(p_workspace text, p_event text, p_type text)
    returns void language plpgsql as $$ begin end $$`
  const taken: Record<'with' | 'without', number[]> = { with: [], without: [] }
  for (let round = 0; round < 10; round++) {
    for (const [name, definition] of [
      ['with', real],
      ['without', nothing],
    ] as const) {
      await owner.query(definition ?? '')
      await posts(workspace, `${round}:${name}:warm`, 50)
      const startMs = performance.now()
      await posts(workspace, `${round}:${name}`, POSTS)
      taken[name].push(((performance.now() - startMs) / POSTS) * 1_000)
    }
  }
  await owner.query(real ?? '')
  const median = (values: number[]) => Math.round(values.sort((a, b) => a - b)[5] ?? 0)
  return { withMicros: median(taken.with), withoutMicros: median(taken.without) }
}

const hot = await hotPath()
console.log('hot path', hot)
const metricsPort = postgres.port + 1
const worker = await startChild({
  name: 'worker',
  command: process.execPath,
  args: ['--import', 'tsx', 'worker/main.ts'],
  cwd: new URL('..', import.meta.url).pathname,
  env: {
    ...process.env,
    DATABASE_URL: on('bench_app'),
    TEMPORAL_ADDRESS: temporal.address,
    WORKER_METRICS_PORT: String(metricsPort),
    WEBHOOK_ALLOWED_ADDRESSES: LOCAL.join(','),
    LOG_LEVEL: 'error',
  },
  logFile: join(folder, 'worker.log'),
})
for (let ready = false; !ready; ) {
  ready = await fetch(`http://127.0.0.1:${metricsPort}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  )
  if (!ready) await delay(100)
}
const result = { machine: thisMachine(), hotPath: hot, latency: [], throughput: [] } as {
  machine: unknown
  hotPath: unknown
  latency: unknown[]
  throughput: unknown[]
}
for (const [endpoints, dead, events, everyMs] of [
  [1, 0, 20, 50], // warms up
  [1, 0, 100, 1_000 / 4],
  [50, 0, 30, 500],
  [50, 1, 30, 500],
] as const) {
  const one = await latency(endpoints, dead, events, everyMs)
  console.log('latency', one)
  result.latency.push(one)
}
for (const [endpoints, dead, events] of [
  [1, 0, 3_000],
  [50, 1, 100],
] as const) {
  const one = await throughput(endpoints, dead, events)
  console.log('throughput', one)
  result.throughput.push(one)
}
result.latency.shift()
await writeFile(
  new URL('results/webhooks.json', import.meta.url),
  `${JSON.stringify(result, null, 2)}\n`,
)
await worker.stop()
await engine.close()
await Promise.all([pool.end(), owner.end()])
await Promise.all([temporal.stop(), postgres.stop()])
await rm(folder, { recursive: true, force: true })
process.exit(0)

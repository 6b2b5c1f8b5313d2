import { createHmac, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Client } from '@temporalio/client'
import { NativeConnection } from '@temporalio/worker'
import pg from 'pg'
import { startPostgres } from '../dev/postgres.ts'
import { temporalBinary } from '../dev/temporal/binary.ts'
import { prepareDatabase } from '../dev/temporal/database.ts'
import { startTemporal } from '../dev/temporal/server.ts'
import { newId } from '../domain/ids.ts'
import type { Turn } from './contender.ts'
import { type Product, startProduct } from './contenders/product.ts'
import { createDatabase } from './database.ts'
import { type HttpClient, openClient } from './http.ts'
import { closedLoop, closedTasks, type Sample } from './load.ts'
import { thisMachine } from './machine.ts'
import { rerunUnderNewerNode } from './node-version.ts'
import { writeResult } from './results.ts'
import { planStorm, randomFrom, twiceAndShuffled } from './storm-plan.ts'

/**
 * `npm run bench:earn`: webhooks of completed payments, from the request to the points, at 1, 8 and 32
 * in flight; the floor beside it (signalWithStart and an insert, from this process, without HTTP); and
 * the storm, every webhook twice and shuffled. Ends with an error where a balance is wrong. Under the
 * Node that the image runs.
 */

const LEVELS = [1, 8, 32]
const WARM_UP_MS = 1_000
const MEMBERS = 500
const STORM_IN_FLIGHT = 32
const LOOK_MS = 4 // how often the points are looked for; the figure's resolution
const DRAIN_MS = 600_000 // a storm that is not worked off by then never will be
const SEED = 20_260_530

interface Level {
  accepted: Sample
  visible: Sample
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    webhooks: { type: 'string', default: '10000' },
  },
})
const durationMs = Number(values.seconds) * 1_000
const ranElsewhere = await rerunUnderNewerNode()
if (ranElsewhere !== null) process.exit(ranElsewhere)
const scratch = resolve(process.env.DATA_DIR || '.data', `bench-earn-${process.pid}`)
mkdirSync(scratch, { recursive: true })
const postgres = await startPostgres({ dataDir: join(scratch, 'postgres') })
try {
  const floor = await measureFloor()
  const { levels, storm } = await measureProduct()
  const date = new Date().toISOString()
  writeResult('earn', { date, machine: thisMachine(), durationMs, floor, levels, storm })
  if (storm.wrong > 0 || storm.inbox > 0) process.exitCode = 1
} finally {
  await postgres.stop()
  rmSync(scratch, { recursive: true, force: true })
}

async function turn(name: string): Promise<Turn> {
  const dir = join(scratch, name)
  mkdirSync(dir, { recursive: true })
  const { url: databaseUrl } = await createDatabase(postgres.adminUrl, name)
  return { adminUrl: postgres.adminUrl, databaseUrl, dir, holdMs: 1_800_000, members: MEMBERS }
}

/** One signalWithStart and one insert, as any engine-backed inbox needs. */
async function measureFloor(): Promise<Sample[]> {
  const { databaseUrl, dir } = await turn('floor')
  const binary = await temporalBinary({})
  const dbFile = join(dir, 'temporal.db')
  await prepareDatabase({ binary, dbFile })
  const server = await startTemporal({ binary, dbFile })
  const connection = await NativeConnection.connect({ address: server.address })
  const { workflow } = new Client({ connection })
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 32 })
  await pool.query(
    'create table inbox (id text primary key, payload jsonb, received_at timestamptz)',
  )
  const task = async () => {
    const id = randomUUID()
    await pool.query({
      name: 'put',
      text: 'insert into inbox values ($1, $2, now())',
      values: [id, { id }],
    })
    await workflow.signalWithStart('payment', {
      workflowId: id,
      taskQueue: 'bench',
      args: [{ payment: id }],
      signal: 'paymentTold',
      signalArgs: [],
    })
  }
  const samples: Sample[] = []
  for (const inFlight of LEVELS) {
    samples.push(await closedLoop({ inFlight, warmUpMs: WARM_UP_MS, durationMs, task }))
  }
  await pool.end()
  await connection.close()
  await server.stop()
  print('floor', samples)
  return samples
}

async function measureProduct() {
  const where = await turn('earn')
  const product = await startProduct(where)
  const client = openClient(product.apiUrl)
  const books = new pg.Pool({ connectionString: where.databaseUrl, max: 2 })
  try {
    const customers = await enrol(client, product)
    const levels: Level[] = []
    for (const inFlight of LEVELS)
      levels.push(await measureLevel(client, product, books, customers, inFlight))
    print(
      'accepted',
      levels.map(({ accepted }) => accepted),
    )
    print(
      'points visible',
      levels.map(({ visible }) => visible),
    )
    return { levels, storm: await runStorm(client, product, books) }
  } finally {
    client.close()
    await books.end()
    await product.stop()
  }
}

async function enrol(client: HttpClient, product: Product): Promise<string[]> {
  const customers: string[] = []
  await closedTasks(16, MEMBERS, async () => {
    const customer = `cust_${randomUUID()}`
    await client.post('/v1/loyalty/accounts', { customer }, { 'x-api-key': product.apiKey })
    customers.push(customer)
  })
  return customers
}

function deliver(client: HttpClient, product: Product, event: object): Promise<unknown> {
  const body = JSON.stringify(event)
  const seconds = Math.floor(Date.now() / 1_000)
  const digest = createHmac('sha256', product.paymentWebhookSecret)
    .update(`${seconds}.${body}`)
    .digest('hex')
  return client.post('/v1/webhooks/payments/sandbox', body, {
    'x-vinr-signature': `t=${seconds},v1=${digest}`,
  })
}

/** Each webhook is followed by the next once its points are there; both moments are counted. */
async function measureLevel(
  client: HttpClient,
  product: Product,
  books: pg.Pool,
  customers: string[],
  inFlight: number,
): Promise<Level> {
  const answered: number[] = []
  const watch = watchPoints(books)
  let sent = 0
  const visible = await closedLoop({
    inFlight,
    warmUpMs: WARM_UP_MS,
    durationMs,
    task: async () => {
      const data = {
        id: newId('pay'),
        amount: 2_000,
        currency: 'eur',
        customer: customers[sent++ % customers.length],
      }
      const created = Math.floor(Date.now() / 1_000)
      const started = performance.now()
      await deliver(client, product, { id: newId('evt'), type: 'payment.completed', created, data })
      answered.push(performance.now() - started)
      await watch.until(data.id)
    },
  })
  await watch.stop()
  const sorted = answered.toSorted((a, b) => a - b)
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  const accepted = { ...visible, p50: at(0.5), p90: at(0.9), p99: at(0.99) }
  return { accepted, visible }
}

/** Resolves for each payment once its earn is in the ledger. */
function watchPoints(books: pg.Pool) {
  const waiting = new Map<string, () => void>()
  let isStopped = false
  const look = async (): Promise<void> => {
    while (!isStopped) {
      if (waiting.size > 0) {
        const { rows } = await books.query<{ payment: string }>({
          name: 'earned',
          text: `select payment from ptx where payment = any($1) and type = 'earn' and workspace = 'ws_demo'`,
          values: [[...waiting.keys()]],
        })
        for (const { payment } of rows) {
          waiting.get(payment)?.()
          waiting.delete(payment)
        }
      }
      await new Promise((done) => setTimeout(done, LOOK_MS))
    }
  }
  const looking = look()
  return {
    until: (payment: string) => new Promise<void>((done) => waiting.set(payment, done)),
    stop: () => {
      isStopped = true
      return looking
    },
  }
}

async function runStorm(client: HttpClient, product: Product, books: pg.Pool) {
  const customers = await enrol(client, product)
  const random = randomFrom(SEED)
  const { events, expected } = planStorm(customers, Number(values.webhooks), random)
  const queue = twiceAndShuffled(events, random)
  const deliveries = queue.length
  const started = performance.now()
  await closedTasks(STORM_IN_FLIGHT, deliveries, async () => {
    await deliver(client, product, queue.pop() ?? {})
  })
  const acceptedMs = performance.now() - started
  const inbox = await drained(books)
  const workedOffMs = performance.now() - started
  const { rows } = await books.query<{ customer: string; balance: string }>(
    'select customer, balance from account where customer = any($1)',
    [customers],
  )
  const wrong = rows.filter(
    ({ customer, balance }) => Number(balance) !== expected.get(customer),
  ).length
  const proof = readFileSync(new URL('../db/reconcile.sql', import.meta.url), 'utf8')
  const broken = (await books.query(proof)).rows.length
  const result = {
    webhooks: events.length,
    deliveries,
    members: customers.length,
    wrong,
    inbox,
    broken,
    acceptedPerSecond: deliveries / (acceptedMs / 1_000),
    workedOffSeconds: workedOffMs / 1_000,
  }
  console.log('storm', JSON.stringify(result))
  return result
}

/** Waits until nothing is left in the inbox; answers with what is. */
async function drained(books: pg.Pool): Promise<number> {
  const until = performance.now() + DRAIN_MS
  for (;;) {
    const { rows } = await books.query<{ n: number }>(
      'select count(*)::int as n from inbox where processed_at is null',
    )
    const left = rows[0]?.n ?? 0
    if (left === 0 || performance.now() > until) return left
    await new Promise((done) => setTimeout(done, 250))
  }
}

function print(what: string, samples: Sample[]): void {
  for (const { inFlight, throughput, p50, p99 } of samples) {
    console.log(
      `${what} at ${inFlight}: ${throughput.toFixed(0)}/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
    )
  }
}

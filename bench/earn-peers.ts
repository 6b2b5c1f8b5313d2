import { createHmac, randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { startPostgres } from '../dev/postgres.ts'
import { newId } from '../domain/ids.ts'
import type { Turn } from './contender.ts'
import { startProduct } from './contenders/product.ts'
import { startRestate } from './contenders/restate-server.ts'
import { busyShare, type CpuTimes, childrenCpu, cpuPerTask, total } from './cpu-time.ts'
import { createDatabase } from './database.ts'
import { type Level, measureLevel, type Webhooks } from './earn-level.ts'
import { openClient } from './http.ts'
import { closedTasks } from './load.ts'
import { thisMachine } from './machine.ts'
import { rerunUnderNewerNode } from './node-version.ts'
import { startPeer } from './peer-process.ts'
import { writeResult } from './results.ts'

/**
 * `tsx bench/earn-peers.ts`: webhooks of completed payments in the product, beside the same job in DBOS
 * and Restate: keep the event, have a durable workflow write the points. The product also verifies,
 * resolves the member and judges the rules. Writes bench/results/earn-peers.json.
 */

const LEVELS = [1, 8, 32]
const MEMBERS = 500
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '4' } } })
const load = { warmUpMs: 1_000, durationMs: Number(values.seconds) * 1_000 }

type Started = { webhooks: Webhooks; stop(): Promise<void> }
/** CPU milliseconds for each webhook, by program; the load's own process is not among them. */
type Measured = Level & { cpu: CpuTimes | null }

const PATH = '/v1/webhooks/payments/sandbox'
const OURS = `select payment from ptx where payment = any($1) and type = 'earn' and workspace = 'ws_demo'`
const THEIRS = 'select payment from movement where payment = any($1)'

const CONTENDERS: Readonly<Record<string, (turn: Turn) => Promise<Started>>> = {
  ours,
  dbos: (turn) => beside(turn, 'dbos-earn', null),
  restate: (turn) => beside(turn, 'restate-earn', 1),
  'restate-default': (turn) => beside(turn, 'restate-earn', undefined),
}

const completed = (customer: string) => ({
  id: newId('evt'),
  type: 'payment.completed',
  created: Math.floor(Date.now() / 1_000),
  data: { id: newId('pay'), amount: 2_000, currency: 'eur', customer },
})

async function ours(turn: Turn): Promise<Started> {
  const product = await startProduct(turn)
  const client = openClient(product.apiUrl)
  const books = new pg.Pool({ connectionString: turn.databaseUrl, max: 2 })
  const customers: string[] = []
  await closedTasks(16, MEMBERS, async () => {
    const customer = `cust_${randomUUID()}`
    await client.post('/v1/loyalty/accounts', { customer }, { 'x-api-key': product.apiKey })
    customers.push(customer)
  })
  let sent = 0
  const send = async () => {
    const event = completed(customers[sent++ % MEMBERS] ?? '')
    const body = JSON.stringify(event)
    const signed = createHmac('sha256', product.paymentWebhookSecret)
    const digest = signed.update(`${event.created}.${body}`).digest('hex')
    await client.post(PATH, body, { 'x-vinr-signature': `t=${event.created},v1=${digest}` })
    return event.data.id
  }
  const stop = async () => {
    client.close()
    await books.end()
    await product.stop()
  }
  return { webhooks: { send, books, earnedQuery: OURS }, stop }
}

/** `partitions`: of Restate; undefined as it comes, null where there is no Restate. */
async function beside(turn: Turn, name: string, partitions?: number | null): Promise<Started> {
  const server = partitions === null ? null : await startRestate(turn, partitions ?? null)
  const child = await startPeer(name, turn.dir, {
    ...server?.env,
    DATABASE_URL: turn.databaseUrl,
    HOLD_MS: '1',
  })
  const client = openClient(child.origin)
  const books = new pg.Pool({ connectionString: turn.databaseUrl, max: 2 })
  let sent = 0
  const send = async () => {
    const event = completed(`cust_${sent++ % MEMBERS}`)
    await client.post(PATH, event, {})
    return event.data.id
  }
  const stop = async () => {
    client.close()
    await books.end()
    await child.stop()
    await server?.stop()
  }
  return { webhooks: { send, books, earnedQuery: THEIRS }, stop }
}

async function measure(name: string, { webhooks }: Started): Promise<Measured[]> {
  const levels: Measured[] = []
  for (const inFlight of LEVELS) {
    const before = childrenCpu()
    let sent = 0
    const send = () => {
      sent++
      return webhooks.send()
    }
    const level = await measureLevel({ ...webhooks, send }, { ...load, inFlight })
    const cpu = cpuPerTask(before, childrenCpu(), sent)
    levels.push({ ...level, cpu })
    const { accepted, visible } = level
    console.log(
      `${name.padEnd(16)} at ${String(inFlight).padStart(2)}: accepted ${accepted.throughput.toFixed(0)}/s, p50 ${accepted.p50.toFixed(1)} p99 ${accepted.p99.toFixed(1)} ms; visible ${visible.throughput.toFixed(0)}/s, p50 ${visible.p50.toFixed(1)} p99 ${visible.p99.toFixed(1)} ms; CPU ${total(cpu ?? {}).toFixed(2)} ms each`,
    )
  }
  return levels
}

async function main(): Promise<void> {
  const scratch = resolve(process.env.DATA_DIR || '.data', `bench-earn-peers-${process.pid}`)
  mkdirSync(scratch, { recursive: true })
  const postgres = await startPostgres({ dataDir: join(scratch, 'postgres') })
  try {
    const busyBefore = await busyShare()
    const contenders: Record<string, Measured[]> = {}
    for (const [name, start] of Object.entries(CONTENDERS)) {
      const dir = join(scratch, name)
      mkdirSync(dir)
      const { url: databaseUrl } = await createDatabase(
        postgres.adminUrl,
        `earn_${name.replace('-', '_')}`,
      )
      const started = await start({
        adminUrl: postgres.adminUrl,
        databaseUrl,
        dir,
        holdMs: 1_800_000,
        members: MEMBERS,
      })
      try {
        contenders[name] = await measure(name, started)
      } finally {
        await started.stop()
      }
    }
    const date = new Date().toISOString()
    writeResult('earn-peers', { date, machine: thisMachine(), busyBefore, ...load, contenders })
  } finally {
    await postgres.stop()
    rmSync(scratch, { recursive: true, force: true })
  }
}

const rerun = await rerunUnderNewerNode()
if (rerun === null) await main()
else process.exitCode = rerun

import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { startPostgres } from '../dev/postgres.ts'
import type { Turn } from './contender.ts'
import { type Product, startProduct } from './contenders/product.ts'
import { busyShare } from './cpu-time.ts'
import { createDatabase, settle } from './database.ts'
import { closedTasks, median } from './load.ts'
import { thisMachine } from './machine.ts'
import { writeResult } from './results.ts'

/**
 * `tsx bench/catalogue.ts`: 1,000 redemptions at once of a reward of which there are 100, and a pool of
 * 10,000 gift card codes emptied by 32 clients. Both end with a look at the books; what is not exact
 * ends the run. Writes bench/results/catalogue.json.
 */

const ROUNDS = 3
const STOCK = 100
const AT_ONCE = 1_000
const CODES = Number(process.env.BENCH_CODES ?? 10_000)
const CLIENTS = 32
const BATCH = 1_000 // as many as one upload takes
const MEMBERS = 200
const POINTS = 100_000_000
const WORKSPACE = 'ws_demo'

type Answer = { status: number; code: string; ms: number; codes: string[] }
type Ask = (path: string, body: object) => Promise<{ status: number; body: Body; ms: number }>
type Body = { id?: string; error?: { code: string }; gift_cards?: { code: string }[] }

async function main(): Promise<void> {
  process.env.GIFT_CODE_KEYS = `bench:${randomBytes(32).toString('base64')}`
  const scratch = resolve(process.env.DATA_DIR || '.data', `bench-catalogue-${process.pid}`)
  mkdirSync(scratch, { recursive: true })
  const postgres = await startPostgres({ dataDir: join(scratch, 'postgres') })
  try {
    const { url: databaseUrl } = await createDatabase(postgres.adminUrl, 'bench_catalogue')
    const dir = join(scratch, 'product')
    mkdirSync(dir)
    const turn: Turn = {
      adminUrl: postgres.adminUrl,
      databaseUrl,
      dir,
      holdMs: 1_800_000,
      members: MEMBERS,
    }
    const product = await startProduct(turn)
    const books = new pg.Pool({ connectionString: databaseUrl, max: 2 })
    const client = openClient(product)
    try {
      const members = await enrol(client.ask)
      await settle(postgres.adminUrl)
      const busyBefore = await busyShare()
      const stock = []
      for (let round = 0; round < ROUNDS; round++)
        stock.push(await rush(client.ask, members, books))
      const pool = await emptyPool(client.ask, members, books)
      writeResult('catalogue', {
        date: new Date().toISOString(),
        machine: thisMachine(),
        busyBefore,
        stock: {
          inventory: STOCK,
          atOnce: AT_ONCE,
          p99Ms: median(stock.map((one) => one.p99Ms)),
          rounds: stock,
        },
        pool,
      })
      console.log(JSON.stringify({ stock, pool }, null, 2))
    } finally {
      client.close()
      await books.end()
      await product.stop()
    }
  } finally {
    await postgres.stop()
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** A thousand members' phones at the same moment; every one is answered, a hundred of them with the reward. */
async function rush(ask: Ask, members: string[], books: pg.Pool) {
  const reward = await created(ask, '/v1/loyalty/rewards', {
    name: 'Hundred',
    type: 'discount_amount',
    cost: 1,
    value: { amount: 500, currency: 'EUR' },
    inventory: STOCK,
  })
  const started = performance.now()
  const answers = await Promise.all(
    Array.from({ length: AT_ONCE }, (_, n) => redeem(ask, members, n, reward)),
  )
  const seconds = (performance.now() - started) / 1_000
  const outcomes = tally(answers)
  must(outcomes.created === STOCK && outcomes.reward_out_of_stock === AT_ONCE - STOCK, outcomes)
  const { rows } = await books.query(
    `select (select inventory from reward where workspace = $1 and id = $2) as left,
      (select count(*)::int from redemption where workspace = $1 and reward = $2) as redeemed,
      (select count(*)::int from ptx t join redemption d on d.workspace = t.workspace and d.transaction = t.id
        where d.workspace = $1 and d.reward = $2) as debits`,
    [WORKSPACE, reward],
  )
  must(rows[0].left === 0 && rows[0].redeemed === STOCK && rows[0].debits === STOCK, rows[0])
  return { outcomes, seconds, ...latencies(answers) }
}

/** So many clients redeem gift cards until their pool is empty. */
async function emptyPool(ask: Ask, members: string[], books: pg.Pool) {
  const pool = await created(ask, '/v1/loyalty/code_pools', { name: 'Bench' })
  const uploads: number[] = []
  for (let from = 0; from < CODES; from += BATCH) {
    const size = Math.min(BATCH, CODES - from)
    const codes = Array.from({ length: size }, (_, n) => `CARD-${from + n}-${randomUUID()}`)
    const { status, ms } = await ask(`/v1/loyalty/code_pools/${pool}/codes`, { codes })
    must(status === 201, { status })
    uploads.push(ms)
  }
  const reward = await created(ask, '/v1/loyalty/rewards', {
    name: 'Card',
    type: 'gift_card',
    cost: 1,
    value: { amount: 2_500, currency: 'EUR' },
    codes: { pool },
  })
  const answers: Answer[] = []
  const started = performance.now()
  await closedTasks(CLIENTS, CODES + CLIENTS, async (n) => {
    answers.push(await redeem(ask, members, n, reward))
  })
  const seconds = (performance.now() - started) / 1_000
  const outcomes = tally(answers)
  const different = new Set(answers.flatMap(({ codes }) => codes)).size
  must(outcomes.created === CODES && outcomes.reward_out_of_stock === CLIENTS, outcomes)
  must(different === CODES, { different })
  const { rows } = await books.query(
    `select count(*)::int as given, count(distinct redemption)::int as redemptions from gift_code
      where workspace = $1 and pool = $2 and status = 'given'`,
    [WORKSPACE, pool],
  )
  must(rows[0].given === CODES && rows[0].redemptions === CODES, rows[0])
  const upload = { codesEach: BATCH, medianMs: median(uploads) }
  const perSecond = CODES / seconds
  return {
    codes: CODES,
    clients: CLIENTS,
    different,
    outcomes,
    seconds,
    perSecond,
    upload,
    ...latencies(answers),
  }
}

async function redeem(ask: Ask, members: string[], n: number, reward: string): Promise<Answer> {
  const account = members[n % members.length]
  const { status, body, ms } = await ask('/v1/loyalty/redemptions', { account, reward })
  const codes = body.gift_cards?.map(({ code }) => code) ?? []
  return { status, code: body.error?.code ?? 'created', ms, codes }
}

async function enrol(ask: Ask): Promise<string[]> {
  const members: string[] = []
  await closedTasks(16, MEMBERS, async (n) => {
    const account = await created(ask, '/v1/loyalty/accounts', {})
    await created(ask, '/v1/loyalty/transactions', { account, amount: POINTS, reason: 'bench' })
    members[n] = account
  })
  return members
}

async function created(ask: Ask, path: string, body: object): Promise<string> {
  const answer = await ask(path, body)
  must(answer.status === 201, answer.body)
  return answer.body.id ?? ''
}

function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { code } of answers) counts[code] = (counts[code] ?? 0) + 1
  return counts
}

/** Of the created ones, of the refused ones, and of all. */
function latencies(answers: readonly Answer[]) {
  const of = (some: readonly Answer[], share: number) => {
    const sorted = some.map(({ ms }) => ms).sort((a, b) => a - b)
    return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
  }
  const made = answers.filter(({ status }) => status === 201)
  return {
    p50Ms: of(answers, 0.5),
    p99Ms: of(answers, 0.99),
    createdP50Ms: of(made, 0.5),
    createdP99Ms: of(made, 0.99),
  }
}

function must(holds: boolean, seen: object): void {
  if (!holds) throw new Error(`not as it must be: ${JSON.stringify(seen)}`)
}

function openClient({ apiUrl, apiKey }: Product) {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  const ask: Ask = (path, body) => {
    const payload = JSON.stringify(body)
    const started = performance.now()
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(payload),
      'x-api-key': apiKey,
      'idempotency-key': randomUUID(),
    }
    return new Promise((done, fail) => {
      const sent = request(`${apiUrl}${path}`, { agent, method: 'POST', headers }, (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => {
          text += chunk
        })
        answer.on('error', fail)
        answer.on('end', () =>
          done({
            status: answer.statusCode ?? 0,
            body: JSON.parse(text) as Body, // our own API's answer
            ms: performance.now() - started,
          }),
        )
      })
      sent.on('error', fail)
      sent.end(payload)
    })
  }
  return { ask, close: () => agent.destroy() }
}

await main()

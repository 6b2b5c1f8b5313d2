import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { startPostgres } from '../dev/postgres.ts'
import type { Turn } from './contender.ts'
import { type Product, startProduct } from './contenders/product.ts'
import { busyShare } from './cpu-time.ts'
import { createDatabase, settle } from './database.ts'
import { closedLoop, closedTasks, median, type Sample } from './load.ts'
import { thisMachine } from './machine.ts'
import { writeResult } from './results.ts'

/**
 * `tsx bench/till.ts`: wallets read, members found and points redeemed strictly by 32 tills, on 1,000
 * members and on one; a strict redemption beside the redemption path at 8 in flight, in turns; and 32
 * tills that together ask one member for more than is there. Writes bench/results/till.json, and ends
 * with an error where a balance is wrong.
 */

const MEMBERS = 1_000
const TILLS = 32
const IN_FLIGHT = 8
const ROUNDS = 3
const WARM_UP_MS = 1_500
const durationMs = Number(process.env.BENCH_SECONDS ?? 6) * 1_000
const OPENING = 1_000_000 // nobody runs dry
const SCARCE = 500 // of the member whom all tills ask, who runs dry
const ASKS_PER_TILL = 32
const WORKSPACE = 'ws_demo'
const ONE = 'loy_till0'
const DRY = 'loy_till_dry'

type Answer = { status: number; body: string }
type Send = (method: 'GET' | 'POST' | 'PUT', path: string, body?: object) => Promise<Answer>

async function main(): Promise<void> {
  const scratch = resolve(process.env.DATA_DIR || '.data', `bench-till-${process.pid}`)
  mkdirSync(join(scratch, 'product'), { recursive: true })
  const postgres = await startPostgres({ dataDir: join(scratch, 'postgres') })
  try {
    const { url: databaseUrl } = await createDatabase(postgres.adminUrl, 'bench_till')
    const turn: Turn = {
      adminUrl: postgres.adminUrl,
      databaseUrl,
      dir: join(scratch, 'product'),
      holdMs: 1_800_000,
      members: MEMBERS,
    }
    const product = await startProduct(turn)
    const books = new pg.Pool({ connectionString: databaseUrl, max: 4 })
    try {
      await measure(product, books, () => settle(postgres.adminUrl))
    } finally {
      await books.end()
      await product.stop()
    }
  } finally {
    await postgres.stop()
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function measure(product: Product, books: pg.Pool, settled: () => Promise<void>) {
  await enrol(books)
  const send = sender(product)
  const cards = await prepare(send)
  await settled()
  const busyBefore = await busyShare()
  const tills = {
    wallet: await load('wallet', TILLS, (n) => wallet(send, scattered(n))),
    walletOfOne: await load('wallet of one', TILLS, () => wallet(send, ONE)),
    lookUp: await load('look-up by card', TILLS, (n) => lookUp(send, cards[n % MEMBERS] ?? '')),
    strict: await load('strict', TILLS, (n) => redeemStrictly(send, scattered(n))),
    strictOfOne: await load('strict of one', TILLS, () => redeemStrictly(send, ONE)),
  }
  const strict: Sample[] = []
  const redemption: Sample[] = []
  for (let round = 0; round < ROUNDS; round++) {
    strict.push(await load('strict', IN_FLIGHT, (n) => redeemStrictly(send, scattered(n))))
    redemption.push(await load('redemption', IN_FLIGHT, (n) => redeem(send, scattered(n))))
  }
  const ratio = median(strict.map(({ p99 }, n) => p99 / (redemption[n]?.p99 ?? Number.NaN)))
  console.log(`p99 strict / redemption at ${IN_FLIGHT}: ${ratio.toFixed(2)}`)
  const dry = await runDry(send, books)
  const proof = readFileSync(new URL('../db/reconcile.sql', import.meta.url), 'utf8')
  const broken = (await books.query(proof)).rows.length
  const date = new Date().toISOString()
  const beside = { inFlight: IN_FLIGHT, strict, redemption, p99Ratio: ratio }
  writeResult('till', {
    date,
    machine: thisMachine(),
    busyBefore,
    durationMs,
    tills,
    beside,
    dry,
    broken,
  })
  if (broken > 0 || dry.balance !== 0 || dry.taken !== SCARCE) process.exitCode = 1
}

// a prime step: neighbours in time are not neighbours in the table
const scattered = (n: number) => `loy_till${(n * 7_919) % MEMBERS}`

async function load(
  name: string,
  inFlight: number,
  act: (n: number) => Promise<void>,
): Promise<Sample> {
  let n = 0
  const sample = await closedLoop({
    inFlight,
    warmUpMs: WARM_UP_MS,
    durationMs,
    task: () => act(n++),
  })
  const { throughput, p50, p99 } = sample
  console.log(
    `${name} at ${inFlight}: ${throughput.toFixed(0)}/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
  )
  return sample
}

async function wallet(send: Send, user: string): Promise<void> {
  expected(await send('GET', `/users/${user}/wallet`))
}

async function lookUp(send: Send, token: string): Promise<void> {
  expected(await send('POST', '/members/lookup', { token, till: 'till-1' }))
}

async function redeemStrictly(send: Send, user: string): Promise<void> {
  expected(await report(send, user))
}

const report = (send: Send, user: string) =>
  send('POST', '/events?strict=true', {
    type: 'REDEEMED_POINTS',
    user,
    eventId: randomUUID(),
    payload: { points: 1, till: 'till-1' },
  })

async function redeem(send: Send, account: string): Promise<void> {
  expected(await send('POST', '/v1/loyalty/redemptions', { account, reward: 'rwd_fivecredit' }))
}

function expected({ status, body }: Answer): void {
  if (status !== 200 && status !== 201) throw new Error(`answered ${status}: ${body.slice(0, 300)}`)
}

/** The type and the reactor of the tills' own document, the rate, and a card for each member. */
async function prepare(send: Send): Promise<string[]> {
  const schema = {
    type: 'object',
    properties: { points: { type: 'integer', minimum: 1 }, till: { type: 'string' } },
    required: ['points'],
    additionalProperties: false,
  }
  expected(await send('PUT', '/settings', { pointsCurrencyValue: 0.01 }))
  expected(await send('POST', '/v1/event_types', { name: 'REDEEMED_POINTS', schema }))
  expected(
    await send('POST', '/v1/reactors', {
      name: 'Redeem points',
      trigger: 'REDEEMED_POINTS',
      reactions: [{ type: 'adjust_points', points: '$.points * -1' }],
    }),
  )
  const cards: string[] = []
  await closedTasks(IN_FLIGHT, MEMBERS, async (n) => {
    const token = `card-of-member-${n}`
    const path = `/v1/loyalty/accounts/loy_till${n}/identities`
    expected(await send('POST', path, { kind: 'card', token }))
    cards[n] = token
  })
  return cards
}

/** Members who earned three times, and one who has next to nothing. */
async function enrol(books: pg.Pool): Promise<void> {
  await books.query(
    `insert into account (workspace, id, program, balance, lifetime_points)
     select $1, 'loy_till' || i, 'prog_default', $3::int * 3, $3::int * 3 from generate_series(0, $2::int - 1) i
     union all select $1, $4, 'prog_default', $5::int, $5::int`,
    [WORKSPACE, MEMBERS, OPENING, DRY, SCARCE],
  )
  await books.query(
    `with credit as (
       insert into ptx (workspace, id, account, program, type, amount, balance_after, operation, at, created_at)
       select $1, ledger_private.vinr_id('ptx'), 'loy_till' || i, 'prog_default', 'adjust', $3::int, $3::int * turn,
         'bench:' || i || ':' || turn, now(), now()
       from generate_series(1, 3) turn, generate_series(0, $2::int - 1) i
       union all select $1, ledger_private.vinr_id('ptx'), $4, 'prog_default', 'adjust', $5::int, $5::int, 'bench:dry', now(), now()
       returning *)
     insert into lot (workspace, id, account, points, remaining, earned_at)
     select workspace, id, account, amount, amount, at from credit`,
    [WORKSPACE, MEMBERS, OPENING, DRY, SCARCE],
  )
  await books.query('vacuum analyze')
}

/** All tills ask one member, together for twice what there is: how many got it, and what is left. */
async function runDry(send: Send, books: pg.Pool) {
  const statuses: Record<number, number> = {}
  await closedTasks(TILLS, TILLS * ASKS_PER_TILL, async () => {
    const { status } = await report(send, DRY)
    statuses[status] = (statuses[status] ?? 0) + 1
  })
  const { rows } = await books.query<{ balance: string }>(
    'select balance from account where workspace = $1 and id = $2',
    [WORKSPACE, DRY],
  )
  const result = { had: SCARCE, asked: TILLS * ASKS_PER_TILL, taken: statuses[200] ?? 0, statuses }
  const dry = { ...result, balance: Number(rows[0]?.balance) }
  console.log('dry', JSON.stringify(dry))
  return dry
}

/** Keep-alive connections, no retries; every status is an answer. */
function sender({ apiUrl, apiKey }: Product): Send {
  const agent = new Agent({ keepAlive: true })
  const { hostname, port } = new URL(apiUrl)
  return (method, path, body) =>
    new Promise((answer, reject) => {
      const payload = body === undefined ? '' : JSON.stringify(body)
      const headers = {
        'x-api-key': apiKey,
        ...(body !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(payload),
        }),
      }
      const sent = request({ agent, hostname, port, path, method, headers }, (incoming) => {
        let text = ''
        incoming.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        incoming.on('end', () => answer({ status: incoming.statusCode ?? 0, body: text }))
      })
      sent.on('error', reject).end(payload)
    })
}

await main()

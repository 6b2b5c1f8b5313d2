import { mkdirSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { startPostgres } from '../dev/postgres.ts'
import type { Turn } from './contender.ts'
import { type Product, startProduct } from './contenders/product.ts'
import { busyShare } from './cpu-time.ts'
import { createDatabase, settle } from './database.ts'
import { closedLoop, median, type Sample } from './load.ts'
import { thisMachine } from './machine.ts'
import { mergeMembers } from './merges.ts'
import { rerunUnderNewerNode } from './node-version.ts'
import { startPeer } from './peer-process.ts'
import { writeResult } from './results.ts'

/**
 * `tsx bench/members.ts`: reading one of a million members beside a bare SELECT, over HTTP and without,
 * and merging two members of 10,000 lots each while others redeem. Under the Node that the image runs.
 * Writes bench/results/members.json.
 */

const MEMBERS = Number(process.env.BENCH_MEMBERS ?? 1_000_000)
const ROUNDS = 3
const IN_FLIGHT = 8
const LOAD = { inFlight: IN_FLIGHT, warmUpMs: 5_000, durationMs: 5_000 }
const REDEEMERS = 1_000
const SELECT = 'select * from account where workspace = $1 and id = $2'
const WORKSPACE = 'ws_demo'

type Reads = { api: Sample[]; bareHttp: Sample[]; bare: Sample[] }

async function main(): Promise<void> {
  const scratch = resolve(process.env.DATA_DIR || '.data', `bench-members-${process.pid}`)
  mkdirSync(scratch, { recursive: true })
  const postgres = await startPostgres({ dataDir: join(scratch, 'postgres') })
  try {
    const { url: databaseUrl } = await createDatabase(postgres.adminUrl, 'bench_members')
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
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 16 })
    try {
      await enrolMany(pool)
      await settle(postgres.adminUrl)
      const busyBefore = await busyShare()
      const reads = await readMembers(product, pool, { dir, databaseUrl })
      const merges = await mergeMembers(product, pool, {
        workspace: WORKSPACE,
        redeemers: REDEEMERS,
      })
      const result = {
        date: new Date().toISOString(),
        machine: thisMachine(),
        busyBefore,
        members: MEMBERS,
        reads,
        merges,
      }
      writeResult('members', result)
    } finally {
      await pool.end()
      await product.stop()
    }
  } finally {
    await postgres.stop()
    rmSync(scratch, { recursive: true, force: true })
  }
}

const memberId = (index: number) => `loy_bench${index}`
// a prime step, so that one read says nothing of the next
const scattered = (index: number) => memberId((index * 611_953) % MEMBERS)

/** Members with what members have: a customer, metadata, and for one in ten points that will expire. */
async function enrolMany(pool: pg.Pool): Promise<void> {
  console.log(`enrolling ${MEMBERS} members`)
  await pool.query(
    `insert into account (workspace, id, program, customer, metadata, balance, lifetime_points, lots_due_from)
     select $1, 'loy_bench' || i, 'prog_default', 'cust_bench' || i, '{"signup_channel": "web"}', 1000000, 1000000,
       case when i % 10 = 0 then now() + interval '1 year' end
     from generate_series(0, $2::int - 1) i`,
    [WORKSPACE, MEMBERS],
  )
  await pool.query(
    `with credit as (
       insert into ptx (workspace, id, account, program, type, amount, balance_after, operation, at, created_at)
       select $1, ledger_private.vinr_id('ptx'), 'loy_bench' || i, 'prog_default', 'adjust', 1000000, 1000000, 'bench:' || i, now(), now()
       from generate_series(0, $2::int - 1) i where i % 10 = 0 or i < $3
       returning *)
     insert into lot (workspace, id, account, points, remaining, earned_at, expires_at)
     select workspace, id, account, amount, amount, at,
       case when substr(account, 10)::int % 10 = 0 then now() + interval '1 year' end
     from credit`,
    [WORKSPACE, MEMBERS, REDEEMERS],
  )
  await pool.query('vacuum analyze')
}

async function readMembers(
  product: Product,
  pool: pg.Pool,
  { dir, databaseUrl }: { dir: string; databaseUrl: string },
): Promise<Reads> {
  const headers = { 'x-api-key': product.apiKey }
  const front = await startPeer('bare-read', dir, {
    DATABASE_URL: databaseUrl,
    WORKSPACE,
  })
  const api = reader(product.apiUrl)
  const bare = reader(front.origin)
  const reads: Reads = { api: [], bareHttp: [], bare: [] }
  let index = 0
  for (let round = 0; round < ROUNDS; round++) {
    reads.bare.push(await closedLoop({ ...LOAD, task: () => select(pool, scattered(index++)) }))
    reads.bareHttp.push(
      await closedLoop({ ...LOAD, task: () => bare(`/${scattered(index++)}`, {}) }),
    )
    reads.api.push(
      await closedLoop({
        ...LOAD,
        task: () => api(`/v1/loyalty/accounts/${scattered(index++)}`, headers),
      }),
    )
  }
  await front.stop()
  for (const [name, samples] of Object.entries(reads)) {
    const of = (measure: 'p50' | 'p99' | 'throughput') =>
      median(samples.map((sample) => sample[measure])).toFixed(2)
    console.log(
      `read  ${name.padEnd(9)} p50 ${of('p50')} ms, p99 ${of('p99')} ms, ${of('throughput')}/s`,
    )
  }
  return reads
}

async function select(pool: pg.Pool, id: string): Promise<void> {
  const { rowCount } = await pool.query({ name: 'bare', text: SELECT, values: [WORKSPACE, id] })
  if (rowCount !== 1) throw new Error(`no ${id}`)
}

function reader(origin: string) {
  const agent = new Agent({ keepAlive: true })
  const { hostname, port } = new URL(origin)
  return (path: string, headers: Record<string, string>): Promise<void> =>
    new Promise((resolve, reject) => {
      const sent = request({ agent, hostname, port, path, headers }, (answer) => {
        answer.resume().on('end', () => {
          if (answer.statusCode === 200) resolve()
          else reject(new Error(`${path} answered ${answer.statusCode}`))
        })
      })
      sent.on('error', reject).end()
    })
}

const ranElsewhere = await rerunUnderNewerNode()
if (ranElsewhere === null) await main()
else process.exitCode = ranElsewhere

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { postChunk } from '../../db/bulk.ts'
import { expireAccount } from '../../db/expiry.ts'
import { readLiability, rollUp } from '../../db/liability.ts'
import { migrate } from '../../db/migrate.ts'
import { createOwner } from '../../db/migrate-main.ts'
import { createPool, type Pool } from '../../db/pool.ts'
import { insertRedemption } from '../../db/redemptions.ts'
import { seedWorkspace } from '../../dev/demo.ts'
import { startPostgres } from '../../dev/postgres.ts'
import { newId } from '../../domain/ids.ts'

/**
 * `tsx bench/currency/run.ts [--transactions 1000000,10000000] [--lots 1000000] [--rows 200000]`:
 * what liability, a night's expiry and an import cost in the ledger, on a Postgres of its own that
 * waits for the disk. Writes results/currency.json.
 */
const { values } = parseArgs({
  options: {
    transactions: { type: 'string', default: '1000000,10000000' },
    lots: { type: 'string', default: '1000000' },
    rows: { type: 'string', default: '200000' },
    out: { type: 'string', default: 'bench/results/currency.json' },
  },
})

const WORKSPACE = 'ws_bench'
const ACCOUNTS = 100_000
const results: Record<string, unknown> = {
  machine: {
    cpus: cpus().length,
    model: cpus()[0]?.model,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  },
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-currency-'))
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres') })
  const on = (user: string) => `postgres://${user}:${user}@127.0.0.1:${postgres.port}/bench`
  try {
    await createOwner(postgres.adminUrl, on('engagement_owner'))
    await migrate({ ownerUrl: on('engagement_owner'), applicationUrl: on('engagement_app') })
    const owner = new pg.Pool({ connectionString: on('engagement_owner'), max: 2 })
    const pool = createPool({ url: on('engagement_app'), max: 16 })
    await seedWorkspace(pool, WORKSPACE, 'Bench')
    await owner.query(
      `insert into account (workspace, id, program) select $1, 'loy_' || n, 'prog_default' from generate_series(1, $2::int) n`,
      [WORKSPACE, ACCOUNTS],
    )
    await imports(pool, owner, Number(values.rows))
    await expiry(pool, owner, Number(values.lots))
    await liability(pool, owner, values.transactions.split(',').map(Number))
    await pool.end()
    await owner.end()
  } finally {
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
  await writeFile(values.out, `${JSON.stringify(results, null, 2)}\n`)
  console.log(JSON.stringify(results, null, 2))
}

/** Chunks of 500 checked rows, two at a time, as the import's run writes them; against COPY into ptx's own shape. */
async function imports(pool: Pool, owner: pg.Pool, rows: number): Promise<void> {
  const CHUNK = 500
  const chunks = Math.ceil(rows / CHUNK)
  await owner.query(
    `insert into bulk (workspace, id, kind, batch, total, fingerprint, created_at, progressed_at)
     values ($1, 'imp_bench', 'import', 'bench', $2, '', now(), now())`,
    [WORKSPACE, rows],
  )
  await owner.query(
    `insert into bulk_chunk (workspace, bulk, no, rows)
     select $1, 'imp_bench', c, jsonb_agg(jsonb_build_object('line', c * $3 + r, 'account', 'loy_' || (1 + (c * $3 + r) % $4),
       'amount', 100, 'reason', 'legacy', 'expires_at', null, 'metadata', '{}'::jsonb))
     from generate_series(0, $2::int - 1) c, generate_series(1, $3::int) r group by c`,
    [WORKSPACE, chunks, CHUNK, ACCOUNTS],
  )
  const seconds = await timed(async () => {
    await lanes(2, chunks, async (no) => {
      const { outcome } = await postChunk(
        pool,
        WORKSPACE,
        'imp_bench',
        no,
        new Date().toISOString(),
      )
      if (outcome !== 'posted') throw new Error(outcome)
    })
  })
  const bare = await timed(async () => {
    await owner.query('create table bare (like ptx including indexes)')
    await owner.query(`insert into bare select * from ptx where batch = 'bench'`)
  })
  results.import = {
    rows,
    seconds,
    rowsPerSecond: Math.round(rows / seconds),
    bareInsertRowsPerSecond: Math.round(rows / bare),
  }
}

/** Ten lots an account, all due at one midnight, written off one account after the other; redemptions meanwhile. */
async function expiry(pool: Pool, owner: pg.Pool, lots: number): Promise<void> {
  await owner.query(`
    with due as (
      insert into lot (workspace, id, account, points, remaining, earned_at, expires_at)
      select '${WORKSPACE}', 'ptx_lot' || a || '_' || n, 'loy_' || a, 10, 10, now() - interval '1 year', now() - interval '1 minute'
      from generate_series(1, ${Math.ceil(lots / 10)}) a, generate_series(1, 10) n returning account
    )
    update account set balance = balance + 100, lots_due_from = now() - interval '1 minute', expiry_wake_at = now() - interval '1 minute'
    where workspace = '${WORKSPACE}' and id in (select account from due)`)
  await owner.query('analyze')
  const members = Array.from({ length: 1_000 }, (_, i) => `loy_${ACCOUNTS - i}`)
  await owner.query(
    'update account set balance = balance + 1000000 where workspace = $1 and id = any ($2)',
    [WORKSPACE, members],
  )
  await owner.query(
    `insert into lot (workspace, id, account, points, remaining, earned_at)
     select $1, 'ptx_own' || id, id, 1000000, 1000000, now() from account where id = any ($2)`,
    [WORKSPACE, members],
  )
  const quiet = await redemptions(pool, members, 10_000)
  let running = true
  const seconds = timed(async () => {
    const { rows } = await owner.query<{ account: string }>(
      'select account from net_due_expiries(now(), 1000000)',
    )
    for (const { account } of rows)
      await expireAccount(pool, WORKSPACE, account, new Date().toISOString())
  }).finally(() => {
    running = false
  })
  const during = await redemptions(pool, members, Number.POSITIVE_INFINITY, () => running)
  const took = await seconds
  results.expiry = {
    lots,
    accounts: Math.ceil(lots / 10),
    seconds: took,
    lotsPerSecond: Math.round(lots / took),
    redemptionQuiet: quiet,
    redemptionDuring: during,
  }
}

/** One redemption after the other on one connection, 20 ms apart, for so long. */
async function redemptions(
  pool: Pool,
  members: string[],
  ms: number,
  goOn: () => boolean = () => true,
) {
  const until = performance.now() + ms
  const took: number[] = []
  for (let i = 0; performance.now() < until && goOn(); i++) {
    const id = newId('rdm')
    const at = new Date()
    const begun = performance.now()
    const { outcome } = await insertRedemption(pool, {
      workspace: WORKSPACE,
      redemption: id,
      account: members[i % members.length] ?? '',
      reward: 'rwd_fivecredit',
      quantity: 1,
      at: at.toISOString(),
      expiresAt: new Date(at.getTime() + 1_800_000).toISOString(),
      creationWindowMs: 30_000,
      code: id,
      fingerprint: '',
      shipping: null,
      metadata: {},
    })
    if (outcome !== 'created') throw new Error(outcome)
    took.push(performance.now() - begun)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return percentiles(took)
}

/** Liability with so much history, most of it counted in totals and the last minute's rows (5,000) not. */
async function liability(pool: Pool, owner: pg.Pool, sizes: number[]): Promise<void> {
  await owner.query('drop index ptx_operation, ptx_reverses, ptx_payment, ptx_batch') // to fill the table sooner; no report reads them
  const found: Record<string, unknown> = {}
  let filled = 0
  for (const size of sizes) {
    await owner.query(
      `insert into ptx (workspace, id, account, program, type, amount, balance_after, operation, at, created_at)
       select $1, vinr_id_from('ptx', t.at) || lpad(n::text, 9, '0'), 'loy_' || (1 + n % ${ACCOUNTS}), 'prog_default',
         (array['earn', 'redeem', 'adjust', 'clawback'])[1 + n % 4], 10, 0, 'fill', t.at, t.at
       from generate_series($2::int, $3::int) n
       cross join lateral (select now() - interval '2 years' + n * (interval '700 days' / $4::int) as at) t`,
      [WORKSPACE, filled + 1, size, sizes.at(-1)],
    )
    filled = size
    await owner.query('vacuum analyze ptx')
    await owner.query('select ledger_recount()')
    const rollUpSeconds = await timed(async () => {
      await rollUp(pool)
      await owner.query(`update ledger_rollup set noted_at = noted_at + interval '10 seconds'`)
      await rollUp(pool)
    })
    await owner.query(
      `insert into ptx (workspace, id, account, program, type, amount, balance_after, operation, at, created_at)
       select $1, vinr_id('ptx'), 'loy_1', 'prog_default', 'adjust', 1, 0, 'fill', now(), now() from generate_series(1, 5000)`,
      [WORKSPACE],
    )
    const read = async (at: Date | null) => {
      const took: number[] = []
      for (let i = 0; i < 50; i++)
        took.push((await timed(() => readLiability(pool, WORKSPACE, 'prog_default', at))) * 1_000)
      return percentiles(took)
    }
    found[String(size)] = {
      firstRollUpSeconds: rollUpSeconds,
      now: await read(null),
      at: await read(new Date(Date.now() - 400 * 86_400_000)),
    }
  }
  results.liability = found
}

async function lanes(
  count: number,
  tasks: number,
  run: (task: number) => Promise<void>,
): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: count }, async () => {
      while (next < tasks) await run(next++)
    }),
  )
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await run()
  return (performance.now() - begun) / 1_000
}

function percentiles(ms: number[]) {
  const sorted = [...ms].sort((a, b) => a - b)
  const at = (share: number) =>
    Number((sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(2))
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99) }
}

await main()

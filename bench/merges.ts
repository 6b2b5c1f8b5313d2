import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import type { Product } from './contenders/product.ts'
import { openClient } from './http.ts'
import { type Sample, summary } from './load.ts'

const LOTS = 10_000
const MERGES = 40
// Tills that redeem one after the other with a pause between, as people do; a loop without one would
// measure how the cores are shared.
const TILLS = 4
const PAUSE_MS = 40
// Between two merges: what others get while nobody merges, in the same run and on the same machine.
const QUIET_MS = 1_000
// After a merge its writes are still on their way to the disk; what happens then counts as neither.
const AFTER_MS = 250

type Span = { from: number; to: number }

/**
 * Merges of two members of 10,000 lots each, while others redeem: what those get that
 * begin while a merge runs, beside those that begin between two of them.
 */
export async function mergeMembers(
  product: Product,
  pool: pg.Pool,
  { workspace, redeemers }: { workspace: string; redeemers: number },
) {
  for (let pair = 0; pair < MERGES; pair++) await giveLots(pool, workspace, pair)
  await pool.query('vacuum analyze lot, ptx, account')
  const client = openClient(product.apiUrl)
  const headers = { 'x-api-key': product.apiKey }
  const redemptions: Span[] = []
  let turn = 0
  let over = false
  const redeem = async () => {
    while (!over) {
      const account = `loy_bench${(turn++ * 7) % redeemers}`
      const from = performance.now()
      await client.post('/v1/loyalty/redemptions', { account, reward: 'rwd_fivecredit' }, headers)
      redemptions.push({ from, to: performance.now() })
      await delay(PAUSE_MS)
    }
  }
  const loops = Promise.all(Array.from({ length: TILLS }, redeem))
  await delay(2 * QUIET_MS)
  const merges: Span[] = []
  const quiet: Span[] = []
  for (let pair = 0; pair < MERGES; pair++) {
    const idleFrom = performance.now()
    await delay(QUIET_MS)
    const from = performance.now()
    quiet.push({ from: idleFrom, to: from })
    const names = { source: `loy_source${pair}`, target: `loy_target${pair}` }
    await client.post('/v1/loyalty/accounts/merge', names, headers)
    merges.push({ from, to: performance.now() })
    await delay(AFTER_MS)
  }
  over = true
  await loops
  client.close()
  const mergeMs = merges.map(({ from, to }) => to - from)
  const redeemAlone = begunIn(quiet, redemptions)
  const redeemDuring = begunIn(merges, redemptions)
  console.log(
    `merge ${mergeMs.map((ms) => ms.toFixed(0)).join(', ')} ms of ${LOTS} + ${LOTS} lots, while others redeem`,
  )
  for (const [name, { completed, p50, p90, p99, throughput }] of Object.entries({
    redeemAlone,
    redeemDuring,
  })) {
    console.log(
      `${name.padEnd(12)} p50 ${p50.toFixed(1)} p90 ${p90.toFixed(1)} p99 ${p99.toFixed(1)} ms, ${throughput.toFixed(0)}/s (${completed})`,
    )
  }
  return { lots: LOTS, mergeMs, redeemAlone, redeemDuring }
}

function begunIn(windows: readonly Span[], spans: readonly Span[]): Sample {
  const latencies = spans
    .filter(({ from }) => windows.some((window) => from >= window.from && from < window.to))
    .map(({ from, to }) => to - from)
  const lengthMs = windows.reduce((total, { from, to }) => total + to - from, 0)
  return summary(TILLS, lengthMs, latencies)
}

async function giveLots(pool: pg.Pool, workspace: string, pair: number): Promise<void> {
  for (const id of [`loy_source${pair}`, `loy_target${pair}`]) {
    await pool.query(
      `insert into account (workspace, id, program, balance, lifetime_points, lots_due_from)
       values ($1, $2, 'prog_default', $3::int * 10, $3::int * 10, now() + interval '1 year')`,
      [workspace, id, LOTS],
    )
    await pool.query(
      `with credit as (
         insert into ptx (workspace, id, account, program, type, amount, balance_after, operation, at, created_at)
         select $1, ledger_private.vinr_id('ptx'), $2, 'prog_default', 'adjust', 10, 10 * i, 'bench:' || $2 || '/' || i, now(), now()
         from generate_series(1, $3::int) i returning *)
       insert into lot (workspace, id, account, points, remaining, earned_at, expires_at)
       select workspace, id, account, 10, 10, at, now() + interval '1 year' from credit`,
      [workspace, id, LOTS],
    )
  }
}

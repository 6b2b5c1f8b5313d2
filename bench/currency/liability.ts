import { ledgerRollUp } from '../../db/ledger.gen.ts'
import { readLiability } from '../../db/liability.ts'
import { ACCOUNTS, openPlace, type Place, percentiles, timed } from './place.ts'

const READS = 100
const FRESH_ROWS = 5_000 // a busy minute: rows that no total counts yet

/** Liability now, and at an instant 400 days back, with so many transactions over two years. */
export async function benchLiability(sizes: number[]) {
  const place = await openPlace('liability')
  try {
    // to fill the table sooner; no report reads them
    await place.owner.query('drop index ptx_operation, ptx_reverses, ptx_payment, ptx_batch')
    const found: Record<string, unknown> = {}
    let filled = 0
    for (const size of sizes) {
      await fill(place, filled + 1, size, Math.max(...sizes))
      filled = size
      found[String(size)] = await measure(place)
    }
    return found
  } finally {
    await place.stop()
  }
}

async function fill({ owner, workspace }: Place, from: number, to: number, most: number) {
  await owner.query(
    `insert into ptx (workspace, id, account, program, type, amount, balance_after, operation, at, created_at)
     select $1, ledger_private.vinr_id_from('ptx', t.at) || lpad(n::text, 9, '0'), 'loy_' || (1 + n % ${ACCOUNTS}), 'prog_default',
       (array['earn', 'redeem', 'adjust', 'clawback'])[1 + n % 4], 10, 0, 'fill', t.at, t.at
     from generate_series($2::int, $3::int) n
     cross join lateral (select now() - interval '2 years' + n * (interval '700 days' / $4::int) as at) t`,
    [workspace, from, to, most],
  )
  await owner.query('vacuum analyze ptx')
}

async function measure({ owner, pool, workspace }: Place) {
  await owner.query('select ledger_private.ledger_recount()')
  const firstRollUpSeconds = await timed(async () => {
    await ledgerRollUp(pool, {})
    await owner.query(`update ledger_rollup set noted_at = noted_at + interval '10 seconds'`)
    await ledgerRollUp(pool, {})
  })
  await owner.query(
    `insert into ptx (workspace, id, account, program, type, amount, balance_after, operation, at, created_at)
     select $1, ledger_private.vinr_id('ptx'), 'loy_1', 'prog_default', 'adjust', 1, 0, 'fill', now(), now()
     from generate_series(1, ${FRESH_ROWS})`,
    [workspace],
  )
  const read = async (at: Date | null) => {
    const took: number[] = []
    for (let i = 0; i < READS; i++) {
      took.push((await timed(() => readLiability(pool, workspace, 'prog_default', at))) * 1_000)
    }
    return percentiles(took)
  }
  const past = new Date(Date.now() - 400 * 86_400_000)
  return { firstRollUpSeconds, now: await read(null), at: await read(past) }
}

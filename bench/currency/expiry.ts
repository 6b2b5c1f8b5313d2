import { setTimeout as delay } from 'node:timers/promises'
import { openClient, UnexpectedAnswer } from '../http.ts'
import { ACCOUNTS, openPlace, type Percentiles, type Place, percentiles } from './place.ts'

const LOTS_EACH = 10
const SPENDERS = 1_000
const MEMBERS = ACCOUNTS + SPENDERS
const QUIET_MS = 20_000
const PAUSE_MS = 20 // one request at a time, as a till sends them; a closed loop would measure itself
const CHECK_EVERY_MS = 250
const REWARD = 'rwd_fivecredit'

type Latencies = { spent: number[]; refused: number[] }

/**
 * A night's expiry: so many lots, ten an account, all due at the same minute, worked off by the product's
 * own batch, while members with other points redeem over HTTP and members with due points try to.
 */
export async function benchExpiry(lots: number) {
  const place = await openPlace('expiry', MEMBERS)
  try {
    const accounts = Math.min(Math.ceil(lots / LOTS_EACH), ACCOUNTS)
    await fill(place, accounts, lots)
    const quiet = await redemptions(place, accounts, Date.now() + QUIET_MS)
    const dueAt = await comeDue(place)
    await delay(dueAt.getTime() - Date.now())
    let written = false
    const during = redemptions(place, accounts, Number.POSITIVE_INFINITY, () => written)
    const seconds = await untilWritten(place, dueAt).finally(() => {
      written = true
    })
    const { spent, refused } = await during
    await audit(place, accounts)
    return {
      lots,
      accounts,
      seconds,
      lotsPerSecond: lots / seconds,
      redemptionQuiet: percentiles(quiet.spent),
      redemptionDuring: percentiles(spent),
      refusedDuring: percentiles(refused),
      p99Ratio: ratio(percentiles(spent), percentiles(quiet.spent)),
    }
  } finally {
    await place.stop()
  }
}

const ratio = (during: Percentiles, quiet: Percentiles) => during.p99Ms / quiet.p99Ms

/** Lots that are due some day, and members with points of their own. */
async function fill({ owner, workspace }: Place, accounts: number, lots: number): Promise<void> {
  await owner.query(
    `insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation, at, created_at)
     select $1, ledger_private.vinr_id_after('ptx', now() - interval '1 year', n), 'loy_' || (1 + n % $2::int), 'prog_default', 'adjust', 100,
       100 * (1 + n / $2::int), 'bench', 'fill:' || n, now() - interval '1 year', now()
     from generate_series(0, $3::int - 1) n`,
    [workspace, accounts, lots],
  )
  await owner.query(
    `insert into lot (workspace, id, account, points, remaining, earned_at, expires_at)
     select workspace, id, account, amount, amount, at, 'infinity' from ptx where workspace = $1 and reason = 'bench'`,
    [workspace],
  )
  await owner.query(
    `update account a set balance = s.points, lifetime_points = s.points
     from (select account, sum(amount) as points from ptx where workspace = $1 and reason = 'bench' group by 1) s
     where a.workspace = $1 and a.id = s.account`,
    [workspace],
  )
  await owner.query(
    `with given as (
       insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation, at, created_at)
       select $1, ledger_private.vinr_id_after('ptx', now(), n), 'loy_' || n, 'prog_default', 'adjust', 1000000000, 1000000000, 'bench',
         'own:' || n, now(), now()
       from generate_series(${ACCOUNTS + 1}, ${MEMBERS}) n returning *
     ), lots as (
       insert into lot (workspace, id, account, points, remaining, earned_at)
       select workspace, id, account, amount, amount, at from given
     )
     update account a set balance = g.amount, lifetime_points = g.amount from given g
     where a.workspace = $1 and a.id = g.account`,
    [workspace],
  )
  await owner.query('vacuum analyze')
}

/** From the next full minute but one on everything is due; answers that time. */
async function comeDue({ owner, workspace }: Place): Promise<Date> {
  const { rows } = await owner.query(
    `select date_trunc('minute', clock_timestamp()) + interval '2 minutes' as at`,
  )
  const at: Date = rows[0].at
  await owner.query(
    `update lot set expires_at = $2 where workspace = $1 and expires_at = 'infinity'`,
    [workspace, at],
  )
  await owner.query(
    `update account set lots_due_from = $2, expiry_wake_at = $2
     where workspace = $1 and balance > 0 and id in (select account from lot where workspace = $1 and expires_at = $2)`,
    [workspace, at],
  )
  await owner.query('vacuum analyze lot, account')
  await owner.query('checkpoint')
  if (Date.now() > at.getTime()) throw new Error('the lots came due before they were ready')
  return at
}

async function untilWritten({ owner, workspace }: Place, dueAt: Date): Promise<number> {
  for (;;) {
    const { rows } = await owner.query(
      'select exists (select from account where workspace = $1 and expiry_wake_at <= $2) as waiting',
      [workspace, dueAt],
    )
    if (rows[0].waiting === false) return (Date.now() - dueAt.getTime()) / 1_000
    await delay(CHECK_EVERY_MS)
  }
}

/** One redemption after the other; every fifth by a member who has nothing but due points, once they are. */
async function redemptions(
  { product, apiKey }: Place,
  accounts: number,
  until: number,
  over: () => boolean = () => false,
): Promise<Latencies> {
  const client = openClient(product.apiUrl)
  const took: Latencies = { spent: [], refused: [] }
  const dueAlready = until === Number.POSITIVE_INFINITY
  for (let i = 0; Date.now() < until && !over(); i++) {
    const due = dueAlready && i % 5 === 4
    // the last ones that the batch comes to are the likeliest to be due still
    const account = due ? `loy_${accounts - (i % accounts)}` : `loy_${MEMBERS - (i % SPENDERS)}`
    const begun = performance.now()
    const outcome = await client
      .post('/v1/loyalty/redemptions', { account, reward: REWARD }, { 'x-api-key': apiKey })
      .then(() => 'spent' as const)
      .catch((error: unknown) => {
        if (error instanceof UnexpectedAnswer && /insufficient_points/.test(error.message)) {
          return 'refused' as const
        }
        throw error
      })
    took[outcome].push(performance.now() - begun)
    if (due !== (outcome === 'refused')) throw new Error(`${account}: ${outcome}, due: ${due}`)
    await delay(PAUSE_MS)
  }
  client.close()
  return took
}

/** Each account has one row for the date, and nothing left of what was due. */
async function audit({ owner, workspace }: Place, accounts: number): Promise<void> {
  const { rows } = await owner.query(
    `select (select count(*)::int from ptx where workspace = $1 and type = 'expire') as expired,
       (select count(*)::int from lot where workspace = $1 and open and expires_at is not null) as open_lots,
       (select coalesce(sum(balance), 0)::int from account
        where workspace = $1 and id in (select account from ptx where workspace = $1 and type = 'expire')) as left_over`,
    [workspace],
  )
  const { expired, open_lots, left_over } = rows[0]
  if (expired !== accounts || open_lots !== 0 || left_over !== 0) {
    throw new Error(`of ${accounts} accounts: ${JSON.stringify(rows[0])}`)
  }
}

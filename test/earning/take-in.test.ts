import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop

beforeAll(async () => {
  shop = await openShop()
  await letEarn(shop)
})
afterAll(async () => {
  const broken = await shop.reconcile()
  await shop.close()
  expect(broken).toEqual([])
})
afterEach(() => shop.owner.query('drop trigger if exists fails on earning'))

/** One point for a euro, from before anything here happened, for members who were there. */
async function letEarn(at: Shop): Promise<void> {
  await at.owner.query(`update account set created_at = '2020-01-01'`)
  await at.owner.query(
    `insert into earning_rule (workspace, id, program, trigger, award, created_at)
     values ($1, 'erl_euro', 'prog_default', 'payment.completed',
       '{"per_amount": {"points": 1, "amount": 100, "currency": "eur"}}', '2020-01-01')`,
    [at.workspace],
  )
}

/** From now on nothing can be earned: what follows from an event fails. */
const breakEarning = (at: Shop = shop, code = 'P0001') =>
  at.owner.query(`
    create or replace function test_fails() returns trigger language plpgsql as $$
    begin raise exception 'the follow-up failed' using errcode = '${code}'; end $$;
    create trigger fails before insert on earning for each row execute function test_fails()`)
const completed = (payment: string, more: object = {}) => ({
  id: newId('evt'),
  type: 'payment.completed',
  created: Math.floor(Date.now() / 1_000),
  data: { id: payment, amount: 700, currency: 'eur', customer: 'cust_abc123', ...more },
})
const inboxOf = async (payment: string) =>
  (
    await shop.owner.query(
      'select processed_at is not null as processed from inbox where payment = $1',
      [payment],
    )
  ).rows
const earned = async (payment: string) =>
  (
    await shop.owner.query(`select amount::int from ptx where payment = $1 and type = 'earn'`, [
      payment,
    ])
  ).rows

describe('a webhook', () => {
  test('is kept and processed, and its points are there when it is answered', async () => {
    const payment = newId('pay')
    expect((await shop.webhook(completed(payment))).status).toBe(200)
    expect((await inboxOf(payment)).map(({ processed }) => processed)).toEqual([true])
    expect(await earned(payment)).toEqual([{ amount: 7 }])
  })

  test.each([
    ['fails', 'P0001'],
    ['is canceled, as by a timeout,', '57014'],
  ])(
    'whose follow-up %s is kept with the payment’s status, and its run makes up for it',
    async (_how, code) => {
      const payment = newId('pay')
      await breakEarning(shop, code)
      const answer = await shop.webhook(completed(payment))
      expect([answer.status, answer.body.duplicate]).toEqual([200, false])
      expect((await inboxOf(payment)).map(({ processed }) => processed)).toEqual([false])
      expect((await shop.get(`/v1/payments/${payment}`)).body.status).toBe('completed')
      expect(await earned(payment)).toEqual([])
      const logged = shop.lines.filter((line) => line.includes('"kind":"payment"'))
      const of = logged.map((line) => JSON.parse(line)).filter((line) => line.payment === payment)
      expect(of).toMatchObject([{ level: 50, err: { message: 'the follow-up failed', code } }])
      await shop.owner.query('drop trigger fails on earning')
      await expect
        .poll(async () => (await earned(payment)).map(({ amount }) => amount), { timeout: 30_000 })
        .toEqual([7])
      await expect
        .poll(async () => (await inboxOf(payment)).map(({ processed }) => processed))
        .toEqual([true])
    },
  )

  test('sent again while it is unprocessed is worked off by the repeat', async () => {
    const [payment, idle] = [newId('pay'), await openShop({ worker: false })]
    try {
      await letEarn(idle)
      await breakEarning(idle)
      const event = completed(payment)
      expect((await idle.webhook(event)).status).toBe(200)
      await idle.owner.query('drop trigger fails on earning')
      expect((await idle.webhook(event)).body).toMatchObject({ duplicate: true })
      const { rows } = await idle.owner.query(
        'select processed_at is not null as processed from inbox where payment = $1',
        [payment],
      )
      expect(rows).toEqual([{ processed: true }])
    } finally {
      await idle.close()
    }
  })

  test('of a payment with redemptions is one transaction: they are applied when it is answered', async () => {
    const redemption = await shop.post('/v1/loyalty/redemptions', {
      account: 'loy_8sd2k1',
      reward: 'rwd_fivecredit',
    })
    const payment = newId('pay')
    const event = completed(payment, { customer: undefined, amount: 2_999 })
    const data = { ...event.data, amount_charged: 2_499, redemptions: [redemption.body.id] }
    expect((await shop.webhook({ ...event, data })).body.duplicate).toBe(false)
    const path = `/v1/loyalty/redemptions/${redemption.body.id}`
    expect((await shop.get(path)).body).toMatchObject({ status: 'applied', payment })
    expect((await inboxOf(payment)).map(({ processed }) => processed)).toEqual([true])
  })

  test('many at once, each twice and for one member, earn once each', async () => {
    const payments = Array.from({ length: 20 }, () => newId('pay'))
    const before = (await shop.get('/v1/loyalty/accounts/loy_9f2k')).body.balance
    const events = payments.map((payment) => completed(payment))
    const answers = await Promise.all([...events, ...events].map((event) => shop.webhook(event)))
    expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(200))
    await expect
      .poll(async () => (await shop.get('/v1/loyalty/accounts/loy_9f2k')).body.balance)
      .toBe(before + 20 * 7)
  })
})

describe('a payment and its refund, reported at the same moment', () => {
  const AMOUNT = 700
  const REFUNDED = 300

  type Report = { type: string; payment: object | null; status: string | null; more: object }
  const paid = (id: string): Report => ({
    type: 'payment.completed',
    payment: { id, amount: AMOUNT, currency: 'eur', customer: 'cust_abc123' },
    status: 'completed',
    more: {},
  })
  const refunded = (payment: string): Report => ({
    type: 'refund.created',
    payment: null,
    status: null,
    more: { subject: payment, refunds: [{ id: newId('re'), amount: REFUNDED }] },
  })
  const takeIn = (client: { query: Shop['owner']['query'] }, reported: Report) =>
    client.query(
      `select ledger.payment_take_in($1, 'sandbox', $2, $3, $4, '{}', $5, $6, now(), $7, '[]') as taken`,
      [
        shop.workspace,
        shop.keys.paymentEndpoint,
        newId('evt'),
        reported.type,
        reported.payment,
        reported.status,
        reported.more,
      ],
    )
  const waiting = async () =>
    (
      await shop.owner.query(
        `select count(*)::int as n from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'`,
      )
    ).rows[0].n

  test.each([
    ['the payment first', paid, refunded],
    ['the refund first', refunded, paid],
  ])('know of each other: %s', async (_order, first, second) => {
    const payment = newId('pay')
    const early = await shop.owner.connect()
    try {
      await early.query('begin')
      await takeIn(early, first(payment))
      const late = takeIn(shop.owner, second(payment))
      await expect.poll(waiting, { timeout: 20_000 }).toBe(1)
      await early.query('commit')
      expect((await late).rows[0].taken.outcome).toBe('received')
    } finally {
      await early.query('rollback')
      early.release()
    }
    const { body } = await shop.get(`/v1/payments/${payment}`)
    expect([body.status, body.amount_refunded]).toEqual(['partially_refunded', REFUNDED])
    const { rows } = await shop.owner.query(
      `select sum(amount)::int as points from ptx where payment = $1`,
      [payment],
    )
    expect(rows).toEqual([{ points: 4 }])
  })
})

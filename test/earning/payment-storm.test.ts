import { afterAll, beforeAll, expect, test } from 'vitest'
import { insertPayment, takeInPaymentEvent } from '../../app/payments.ts'
import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import * as ledger from '../../db/ledger.gen.ts'
import { newId } from '../../domain/ids.ts'
import { type House, openHouse } from '../support/house.ts'
import { redeem } from '../support/redeem.ts'

const AT_ONCE = 16
const SALES = 120
const POINTS = 1_000_000
const MEMBERS = Array.from({ length: 6 }, (_, n) => `loy_storm${n}`)
const REWARDS = ['rwd_storm0', 'rwd_storm1', 'rwd_storm2']
const ENDS = ['failed', 'canceled', 'expired', 'completed', 'processing'] as const

let house: House

beforeAll(async () => {
  house = await openHouse({ worker: false })
  const { owner, workspace } = house
  for (const [n, id] of MEMBERS.entries()) await member(id, `cust_storm${n}`)
  await owner.query(
    `insert into reward (workspace, id, program, name, type, cost, value, inventory)
     select $1, x, 'prog_default', x, 'discount_amount', 500, '{"amount": 500, "currency": "EUR"}', 100000
     from unnest($2::text[]) x`,
    [workspace, REWARDS],
  )
  await owner.query(
    `insert into earning_rule (workspace, id, program, trigger, award, created_at) values
     ($1, 'erl_euro', 'prog_default', 'payment.completed',
       '{"per_amount": {"points": 1, "amount": 100, "currency": "eur"}}', '2020-01-01')`,
    [workspace],
  )
})
afterAll(() => house.close())

async function member(id: string, customer: string | null): Promise<void> {
  await house.owner.query(
    `insert into account (workspace, id, program, customer, created_at) values ($1, $2, 'prog_default', $3, '2020-01-01')`,
    [house.workspace, id, customer],
  )
  await ledger.pointsPost(house.pool, {
    workspace: house.workspace,
    account: id,
    type: 'adjust',
    amount: POINTS,
    reason: 'storm',
    operation: newId('op'),
    fingerprint: 'storm',
    at: new Date(),
    expiresAt: null,
    batch: null,
    source: null,
    metadata: {},
    allowNegative: false,
  })
}

// A fixed stream of choices, so that a storm that fails can be had again.
let seed = 17
const random = (below: number) => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
  return Math.floor((seed / 2_147_483_648) * below)
}
const oneOf = <T>(list: readonly T[]): T => {
  const picked = list[random(list.length)]
  if (picked === undefined) throw new Error('nothing to choose from')
  return picked
}
const now = () => new Date().toISOString()

const report = (
  payment: string,
  status: (typeof ENDS)[number],
  redemptions: string[],
  event: string,
  customer: string | null,
) =>
  takeInPaymentEvent(house.pool, {
    workspace: house.workspace,
    provider: 'sandbox',
    endpoint: house.keys.paymentEndpoint,
    content: [],
    event,
    type: `payment.${status}`,
    payload: {},
    payment: {
      id: payment,
      amount: 2_999,
      currency: 'eur',
      customer,
      refs: redemptions.map((redemption) => ({ redemption })),
    },
    status,
  })

const cancel = (redemption: string) =>
  ledger.redemptionRelease.answer(house.pool, {
    workspace: house.workspace,
    id: redemption,
    cause: 'cancel',
    payment: null,
    operation: newId('op'),
    fingerprint: 'storm',
    reason: 'canceled',
    at: now(),
  })
const reverse = (redemption: string) =>
  ledger.redemptionReverse.answer(house.pool, {
    workspace: house.workspace,
    id: redemption,
    points: null,
    quantity: null,
    reason: 'storm',
    operation: newId('op'),
    fingerprint: 'storm',
    at: now(),
    refund: null,
    refundEvent: null,
  })
const open = (payment: string, redemptions: string[]) =>
  insertPayment(house.pool, {
    workspace: house.workspace,
    payment,
    route: '',
    key: null,
    fingerprint: '',
    amount: 2_999,
    currency: 'eur',
    customer: null,
    metadata: {},
    redemptions: redemptions.map((redemption) => ({ redemption })),
    status: 'requires_payment',
    awaitsConfirmation: false,
    event: newId('evt'),
    expiresAt: new Date(Date.now() + 1).toISOString(),
  })
const move = (payment: string, status: 'completed' | 'canceled' | 'expired') =>
  ledger.paymentMove.answer(house.pool, {
    workspace: house.workspace,
    id: payment,
    status,
    event: newId('evt'),
    at: null,
  })

/** Merges a member that is new into one that pays and redeems. Refused while that one's redemptions wait. */
async function merge(): Promise<void> {
  const source = newId('loy')
  await member(source, null)
  await ledger.accountMerge.answer(house.pool, {
    workspace: house.workspace,
    source,
    target: oneOf(MEMBERS),
    route: '',
    key: null,
    fingerprint: '',
    at: now(),
  })
}

/** Everything that can happen to one sale, at once. */
async function sale(): Promise<void> {
  const payment = newId('pay')
  const owners = [oneOf(MEMBERS), oneOf(MEMBERS)]
  // a payment of a customer takes no redemption of another; one that names its customer later does
  const isOpenedHere = random(2) === 0
  const customer = isOpenedHere ? `cust_storm${random(MEMBERS.length)}` : null
  const redemptions: string[] = []
  for (const account of owners) {
    const { redemption } = await retried(() =>
      redeem(house, { account, reward: oneOf(REWARDS), start: false }),
    )
    redemptions.push(redemption)
  }
  const named = random(2) === 0 ? redemptions : redemptions.toReversed()
  const event = newId('evt')
  const happen: (() => Promise<unknown>)[] = [
    () => report(payment, 'completed', named, event, customer),
    () => report(payment, 'completed', named, event, customer),
    () => report(payment, oneOf(ENDS), named, newId('evt'), customer),
    () => report(payment, oneOf(ENDS), named, newId('evt'), customer),
  ]
  if (isOpenedHere) {
    await retried(() => open(payment, named))
    happen.push(() => move(payment, 'canceled'))
    happen.push(() => move(payment, oneOf(['expired', 'completed'] as const)))
  }
  if (random(3) === 0) happen.push(() => cancel(oneOf(redemptions)))
  if (random(6) === 0) happen.push(() => reverse(oneOf(redemptions)))
  if (random(8) === 0) happen.push(merge)
  const order = happen.map((step) => ({ step, key: random(1_000_000) }))
  order.sort((a, b) => a.key - b.key)
  await Promise.all(order.map(({ step }) => retried(step)))
}

/** As the API does with every write. */
const retried = <T>(step: () => Promise<T>): Promise<T> => retryOnConflict(step)

/** Also those that a ledger function got over by itself. */
async function deadlocks(): Promise<number> {
  await house.owner.query('select pg_stat_force_next_flush()')
  const { rows } = await house.owner.query(
    'select deadlocks from pg_stat_database where datname = current_database()',
  )
  return rows[0].deadlocks
}

test('payments with two redemptions of two members, merges, cancels and reversals in all orders: none deadlocks, one outcome each, and the books hold', async () => {
  let left = SALES
  const lane = async () => {
    while (left-- > 0) await sale()
  }
  await Promise.all(Array.from({ length: AT_ONCE / 4 }, lane))

  const { rows: odd } = await house.owner.query(
    `select d.id, d.status, p.status as payment, d.late_payment ->> 'outcome' as late
     from redemption d left join payment p on p.workspace = d.workspace and p.id = d.payment
     where d.workspace = $1 and d.reward = any ($2) and not case
       when p.status = 'completed' then d.status in ('applied', 'reversed') or d.status = 'released' and (
         d.late_payment is not null or exists (
           select from jsonb_array_elements(p.discounts) x where x ->> 'redemption' = d.id and x ? 'removed_at'))
       when p.status in ('failed', 'canceled', 'expired') then d.status in ('released', 'reversed')
       when p.id is null then d.status in ('released', 'reversed', 'pending')
       else d.status in ('pending', 'released', 'reversed') end`,
    [house.workspace, REWARDS],
  )
  expect(odd).toEqual([])
  const { rows: twice } = await house.owner.query(
    `select object from event where workspace = $1 and type = any ($2) group by object, type having count(*) > 1`,
    [house.workspace, ['loyalty.redemption.applied', 'loyalty.redemption.released']],
  )
  expect(twice).toEqual([])
  const { rows: waiting } = await house.owner.query(
    'select payment from inbox where workspace = $1 and processed_at is null',
    [house.workspace],
  )
  expect(waiting).toEqual([])
  expect(await house.reconcile()).toEqual([])
  // accounts, redemptions and rewards are locked in one order
  expect(await deadlocks()).toBe(0)
}, 120_000)

test('two payments that give the same rewards back in opposite orders lock them in one: none deadlocks', async () => {
  const { owner } = house
  // Long enough that each has its first reward before it wants its second; a sequence forgets no try.
  await owner.query(`
    create sequence test_tries; grant usage on sequence test_tries to public;
    create function test_dawdles() returns trigger language plpgsql as $$
    begin perform nextval('test_tries'); perform pg_sleep(0.3); return new; end $$;
    create trigger test_dawdles before update of inventory on reward for each row execute function test_dawdles()`)
  try {
    const held = async (account: number, reward: string | undefined) =>
      (await redeem(house, { account: MEMBERS[account], reward, start: false })).redemption
    const [first, second] = [newId('pay'), newId('pay')]
    const ofFirst = [await held(0, REWARDS[0]), await held(1, REWARDS[1])]
    const ofSecond = [await held(2, REWARDS[1]), await held(3, REWARDS[0])]
    await report(first, 'processing', ofFirst, newId('evt'), null)
    await report(second, 'processing', ofSecond, newId('evt'), null)
    await Promise.all([
      report(first, 'failed', [], newId('evt'), null),
      report(second, 'failed', [], newId('evt'), null),
    ])
  } finally {
    await owner.query('drop trigger test_dawdles on reward')
  }
  expect((await owner.query('select last_value from test_tries')).rows[0].last_value).toBe(8)
  expect(await house.reconcile()).toEqual([])
})

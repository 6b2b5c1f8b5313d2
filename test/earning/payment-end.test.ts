import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { takeInPaymentEvent } from '../../app/payments.ts'
import { paymentProcess } from '../../db/ledger.gen.ts'
import type { PaymentResult } from '../../db/results/payment.ts'
import { newId } from '../../domain/ids.ts'
import { type House, openHouse } from '../support/house.ts'
import { balanceOf, redeem, redemptionOf } from '../support/redeem.ts'

// What follows from a payment's end: a new member and their welcome, points for its customer, a redemption of
// another member applied.
const FOLLOWING = ['account', 'earning', 'ptx', 'lot', 'redemption']
const OWN = ['inbox', 'payment', 'event']

let house: House

beforeAll(async () => {
  house = await openHouse({ worker: false })
  await house.owner.query(`update account set created_at = '2020-01-01'`)
  await house.owner.query('update program set auto_enroll = true')
  await house.commands.postTransaction({
    workspace: house.workspace,
    account: 'loy_8sd2k1',
    type: 'adjust',
    amount: 50_000,
    reason: 'for all tests',
    operation: newId('op'),
    fingerprint: '',
    at: new Date().toISOString(),
    expiresAt: null,
    batch: null,
    source: null,
    metadata: {},
    allowNegative: false,
  })
  await house.owner.query(
    `insert into earning_rule (workspace, id, program, trigger, award, created_at) values
     ($1, 'erl_euro', 'prog_default', 'payment.completed',
       '{"per_amount": {"points": 1, "amount": 100, "currency": "eur"}}', '2020-01-01'),
     ($1, 'erl_hello', 'prog_default', 'loyalty.account.created', '{"fixed": 10}', '2020-01-01')`,
    [house.workspace],
  )
})
afterEach(async () => {
  for (const table of [...FOLLOWING, ...OWN, 'workflow_outbox']) {
    await house.owner.query(`drop trigger if exists test_breaks on ${table}`)
  }
  expect(await house.reconcile()).toEqual([])
})
afterAll(() => house.close())

/** From now on the next write of this table does this first. */
const onWrite = (table: string, does: string) =>
  house.owner.query(`
    create or replace function test_breaks() returns trigger language plpgsql as $$
    begin ${does}; return new; end $$;
    create trigger test_breaks before insert or update on ${table} for each row execute function test_breaks()`)

type Sale = { payment: string; redemption: string; customer: string; event: string }

/** An open payment of a new customer, with the redemption of a member attached to it. */
async function openSale(): Promise<Sale> {
  const { redemption } = await redeem(house, { start: false })
  const sale = { payment: newId('pay'), redemption, customer: newId('op'), event: newId('evt') }
  await report(sale, 'processing', newId('evt'))
  return sale
}

const reportOf = (
  { payment, redemption, customer }: Sale,
  status: 'completed' | 'processing' | 'failed',
  event: string,
) => ({
  workspace: house.workspace,
  provider: 'sandbox',
  endpoint: house.keys.paymentEndpoint,
  content: [],
  event,
  type: `payment.${status}`,
  payload: {},
  payment: { id: payment, amount: 2_999, currency: 'eur', customer, refs: [{ redemption }] },
  status,
})
const report = (sale: Sale, status: 'completed' | 'processing' | 'failed', event = sale.event) =>
  takeInPaymentEvent(house.pool, reportOf(sale, status, event))

/** What of a sale's end is there. */
async function stateOf({ payment, redemption, customer }: Sale) {
  const { rows } = await house.owner.query(
    `select p.status, p.award, d.status as redemption,
       (select count(*)::int from inbox i where i.payment = p.id and i.processed_at is null) as waiting,
       (select coalesce(sum(t.amount), 0)::int from ptx t where t.payment = p.id) as earned,
       (select count(*)::int from account a where a.customer = $3) as members,
       (select count(*)::int from event e where e.object = d.id and e.type <> 'loyalty.redemption.created') as reported
     from payment p join redemption d on d.id = $2 where p.id = $1`,
    [payment, redemption, customer],
  )
  return rows[0]
}
const outboxOf = async () =>
  (
    await house.owner.query(
      `select workflow_id as id, facts ->> 'unfinished' as unfinished, start_at from workflow_outbox where workspace = $1`,
      [house.workspace],
    )
  ).rows
const clearOutbox = () => house.owner.query('delete from workflow_outbox')
const process = ({ payment }: Sale) =>
  paymentProcess.answer(house.pool, { workspace: house.workspace, id: payment, at: new Date() })

const OPEN = { status: 'processing', redemption: 'pending', earned: 0, members: 0, reported: 0 }
const LEFT = { ...OPEN, status: 'completed', award: null, waiting: 1 }
const DONE = {
  status: 'completed',
  award: 'awarded',
  waiting: 0,
  redemption: 'applied',
  earned: 24,
  members: 1,
  reported: 1,
}

describe('what follows from a completed payment', () => {
  test('is done in its own transaction, and only the run of its redemption is reported', async () => {
    const sale = await openSale()
    await clearOutbox()
    const reported: string[] = []
    await takeInPaymentEvent(house.owner, reportOf(sale, 'completed', sale.event))
    for (const { id } of await outboxOf()) reported.push(id)
    expect(await stateOf(sale)).toEqual(DONE)
    expect(reported).toEqual([sale.redemption])
  })

  test.each(
    FOLLOWING.flatMap((table) => [
      [table, 'raises', `raise exception 'broken'`],
      [table, 'is cut off by a timeout', 'perform pg_sleep(30)'],
    ]),
  )(
    'is undone as a whole where %s %s: the status stays, one outbox row says so, and the workflow does it all',
    async (table, _how, does) => {
      const before = await balanceOf(house)
      const sale = await openSale()
      await clearOutbox()
      await onWrite(table, does)
      const client = await house.owner.connect()
      let taken: PaymentResult
      try {
        await client.query(`set statement_timeout = '700ms'`)
        taken = await takeInPaymentEvent(client, reportOf(sale, 'completed', sale.event))
        await client.query('reset statement_timeout')
      } finally {
        client.release()
      }
      expect(taken).toMatchObject({ outcome: 'received', failure: { message: expect.any(String) } })
      expect(await stateOf(sale)).toEqual(LEFT)
      expect(await balanceOf(house)).toBe(before - 500)
      expect(await outboxOf()).toEqual([
        { id: `${house.workspace}/${sale.payment}`, unfinished: 'true', start_at: null },
      ])
      await house.owner.query(`drop trigger test_breaks on ${table}`)
      await process(sale)
      expect(await stateOf(sale)).toEqual(DONE)
      await process(sale)
      expect(await stateOf(sale)).toEqual(DONE)
    },
  )

  test.each([...OWN, 'workflow_outbox'])(
    'is not there, nor its event, where %s cannot be written; the repeat does it',
    async (table) => {
      const sale = await openSale()
      await clearOutbox()
      await onWrite(table, `raise exception 'broken'`)
      await expect(report(sale, 'completed')).rejects.toThrow('broken')
      expect(await stateOf(sale)).toEqual({ ...OPEN, award: null, waiting: 0 })
      expect(await outboxOf()).toEqual([])
      await house.owner.query(`drop trigger test_breaks on ${table}`)
      await report(sale, 'completed')
      expect(await stateOf(sale)).toEqual(DONE)
    },
  )

  test.each([...OWN, ...FOLLOWING, 'workflow_outbox'])(
    'is not there where the connection dies at %s; the repeat does it',
    async (table) => {
      const sale = await openSale()
      await clearOutbox()
      await onWrite(table, 'perform pg_advisory_xact_lock(77)')
      const holder = await house.pool.connect() // a role may end its own connections
      try {
        await holder.query('select pg_advisory_lock(77)')
        const dying = report(sale, 'completed').catch((error: Error) => error.message)
        const victim = `select a.pid from pg_stat_activity a join pg_locks l on l.pid = a.pid
          where a.datname = current_database() and l.locktype = 'advisory' and l.objid = 77 and not l.granted`
        await expect
          .poll(async () => (await holder.query(victim)).rowCount, { timeout: 20_000 })
          .toBe(1)
        await holder.query(`select pg_terminate_backend(pid) from (${victim}) x`)
        expect(await dying).toContain('terminat')
        await holder.query('select pg_advisory_unlock(77)')
      } finally {
        holder.release()
      }
      expect(await stateOf(sale)).toEqual({ ...OPEN, award: null, waiting: 0 })
      await house.owner.query(`drop trigger test_breaks on ${table}`)
      await report(sale, 'completed')
      expect(await stateOf(sale)).toEqual(DONE)
    },
  )
})

test('a failed payment whose release cannot be done is released by its workflow, once', async () => {
  const before = await balanceOf(house)
  const sale = await openSale()
  await clearOutbox()
  await onWrite('lot', `raise exception 'broken'`)
  expect(await report(sale, 'failed')).toMatchObject({ failure: { message: 'broken' } })
  expect(await redemptionOf(house, sale.redemption)).toMatchObject({ status: 'pending' })
  await house.owner.query('drop trigger test_breaks on lot')
  await process(sale)
  await process(sale)
  expect(await redemptionOf(house, sale.redemption)).toMatchObject({
    status: 'released',
    reason: 'payment_failed',
  })
  expect(await balanceOf(house)).toBe(before)
})

test('a refund that returns its redemptions reverses them in its own transaction', async () => {
  const before = await balanceOf(house)
  const sale = await openSale()
  await report(sale, 'completed')
  await takeInPaymentEvent(house.pool, {
    ...reportOf(sale, 'completed', newId('evt')),
    type: 'refund.created',
    payment: null,
    status: null,
    more: {
      subject: sale.payment,
      refunds: [{ id: newId('re'), amount: 2_499, return_redemption: true }],
    },
  })
  expect(await redemptionOf(house, sale.redemption)).toMatchObject({ status: 'reversed' })
  expect(await balanceOf(house)).toBe(before)
})

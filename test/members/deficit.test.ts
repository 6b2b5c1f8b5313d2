import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { earningIn } from '../earning/earn.ts'

let shop: Shop
let earning: ReturnType<typeof earningIn>
beforeAll(async () => {
  shop = await openShop()
  earning = earningIn(shop)
  await earning.rule()
})
afterAll(() => shop.close())
let customer: string
beforeEach(() => {
  customer = `cust_${newId('op')}`
})
afterEach(async () => expect(await shop.reconcile()).toEqual([]))

const accounts = '/v1/loyalty/accounts'
const enrol = async (body: object = { customer }): Promise<string> => {
  const { status, body: made } = await shop.post(accounts, body)
  expect(status).toBe(201)
  return made.id
}
const close = (id: string) => shop.post(`${accounts}/${id}/close`)
const reopen = (id: string) => shop.post(`${accounts}/${id}/reopen`)
const link = (id: string, to: string | null) => shop.patch(`${accounts}/${id}`, { customer: to })
const adjust = (account: string, amount: number) =>
  shop.post('/v1/loyalty/transactions', { account, amount, reason: 'test' })
const balances = (...ids: string[]) => Promise.all(ids.map((id) => earning.balance(id)))
const rowsOf = async (id: string) =>
  (await shop.get(`/v1/loyalty/transactions?account=${id}`)).body.data
const liability = async () =>
  (await shop.get('/v1/loyalty/programs/prog_default/liability')).body.outstandingPoints

/** A member who has spent the 100 points of a payment. */
async function spender(): Promise<{ id: string; payment: string }> {
  const id = await enrol()
  const { id: payment } = await earning.pay({ customer, amount: 10_000 })
  expect((await adjust(id, -100)).status).toBe(201)
  return { id, payment }
}
/** The same, whose payment was refunded: they owe 100. */
async function debtor() {
  const member = await spender()
  const refund = await earning.refund(member.payment)
  expect(await earning.balance(member.id)).toBe(-100)
  return { ...member, refund: { id: refund.id, payment: member.payment } }
}

describe('a deficit follows the customer', () => {
  it('into the account they create next, by two rows that net to nothing, lifetime points apart', async () => {
    const { id: old } = await debtor()
    const before = await liability()
    await close(old)
    const created = await shop.post(accounts, { customer })
    expect(created.body).toMatchObject({ balance: -100, lifetime_points: 0 })
    const next = created.body.id
    expect(await earning.account(old)).toMatchObject({ balance: 0, lifetime_points: 100 })
    expect(await rowsOf(next)).toMatchObject([
      { type: 'merge', amount: -100, balance_after: -100, source: { deficit_from: old } },
    ])
    expect((await rowsOf(old))[0]).toMatchObject({
      type: 'merge',
      amount: 100,
      balance_after: 0,
      source: { deficit_to: next },
    })
    expect(await liability()).toBe(before)
    await adjust(next, 130)
    expect(await earning.account(next)).toMatchObject({ balance: 30, lifetime_points: 130 })
  })

  it('once, and on into the one after that', async () => {
    const { id: first } = await debtor()
    await close(first)
    const second = await enrol()
    await close(second)
    const third = await enrol()
    expect(await balances(first, second, third)).toEqual([0, 0, -100])
    await close(third)
    await reopen(first)
    expect(await balances(first, second, third)).toEqual([-100, 0, 0])
    await reopen(first)
    expect(await balances(first, second, third)).toEqual([-100, 0, 0])
  })

  it('but a new account of one who owes nothing has 0', async () => {
    const { id } = await spender()
    await close(id)
    const { body } = await shop.post(accounts, { customer })
    expect([body.balance, await rowsOf(body.id)]).toEqual([0, []])
  })

  it('into one that is linked to them, and takes what that has', async () => {
    const { id: old } = await debtor()
    await close(old)
    const next = await enrol({})
    await adjust(next, 30)
    expect((await link(next, customer)).body).toMatchObject({ balance: -70, lifetime_points: 30 })
    expect(await balances(old, next)).toEqual([0, -70])
  })

  it('from one that they were unlinked from', async () => {
    const { id: old } = await debtor()
    await link(old, null)
    const next = await enrol()
    expect(await balances(old, next)).toEqual([0, -100])
  })

  it('not from one that is another’s by now', async () => {
    const { id: old } = await debtor()
    await link(old, `cust_${newId('op')}`)
    expect(await balances(old, await enrol())).toEqual([-100, 0])
  })

  it('into what their account is merged into, with the customer', async () => {
    const { id: old } = await debtor()
    await close(old)
    const { body: other } = await shop.post(accounts, { customer: `cust_${newId('op')}` })
    await shop.post(`${accounts}/merge`, { source: old, target: other.id })
    expect(await balances(old, other.id)).toEqual([0, -100])
  })

  it('also where the refund comes after they left and came back', async () => {
    const { id: old, payment } = await spender()
    await close(old)
    const next = await enrol()
    await earning.refund(payment, { amount: 4_000 })
    expect(await balances(old, next)).toEqual([0, -40])
    await earning.refund(payment)
    expect(await balances(old, next)).toEqual([0, -100])
  })

  it('also where an earning is reversed by hand after that', async () => {
    const { id: old, payment } = await spender()
    const [earned] = await earning.rows(payment)
    await close(old)
    const next = await enrol()
    const reversed = await shop.post(`/v1/loyalty/transactions/${earned?.id}/reverse`)
    expect([reversed.status, reversed.body.balance_after]).toEqual([201, -100])
    expect(await balances(old, next)).toEqual([0, -100])
  })

  it('into what their next account was merged into', async () => {
    const { id: old, payment } = await spender()
    await close(old)
    const next = await enrol()
    const last = await enrol({ customer: `cust_${newId('op')}` })
    await shop.post(`${accounts}/merge`, { source: next, target: last })
    const refund = await earning.refund(payment)
    expect(await balances(old, next, last)).toEqual([0, 0, -100])
    await earning.report('refund.failed', { id: refund.id, payment })
    expect(await balances(old, next, last)).toEqual([0, 0, 0])
  })

  it('and is reported to those who keep balances of their own', async () => {
    const { id: old, payment } = await spender()
    await close(old)
    const next = await enrol()
    await earning.refund(payment)
    const { rows } = await shop.owner.query(
      `select object, (data ->> 'balance')::int as balance, (previous ->> 'balance')::int as before
       from event where type = 'loyalty.account.updated' and object = any ($1) order by id`,
      [[old, next]],
    )
    expect(rows).toEqual([
      { object: old, balance: 0, before: -100 },
      { object: next, balance: -100, before: 0 },
    ])
  })
})

describe('what comes back to the former account settles it', () => {
  it('where the refund fails', async () => {
    const { id: old, refund } = await debtor()
    await close(old)
    const next = await enrol()
    await earning.report('refund.failed', refund)
    expect(await balances(old, next)).toEqual([0, 0])
  })

  it('where it was filled meanwhile: those points are there again', async () => {
    const { id: old, refund } = await debtor()
    await close(old)
    const next = await enrol()
    await adjust(next, 130)
    await earning.report('refund.failed', refund)
    expect(await balances(old, next)).toEqual([0, 130])
    expect((await adjust(next, -130)).status).toBe(201)
  })

  it('through every account between', async () => {
    const { id: first, refund } = await debtor()
    await close(first)
    const second = await enrol()
    await close(second)
    const third = await enrol()
    await earning.report('refund.failed', refund)
    expect(await balances(first, second, third)).toEqual([0, 0, 0])
  })

  it('where a redemption of it is released', async () => {
    const id = await enrol()
    const { id: payment } = await earning.pay({ customer, amount: 50_000 })
    const redemption = await shop.post('/v1/loyalty/redemptions', {
      account: id,
      reward: 'rwd_fivecredit',
    })
    expect(redemption.status).toBe(201)
    await earning.refund(payment)
    await close(id)
    const next = await enrol()
    expect(await balances(id, next)).toEqual([0, -500])
    await shop.post(`/v1/loyalty/redemptions/${redemption.body.id}/cancel`)
    expect(await balances(id, next)).toEqual([0, 0])
  })

  it('and no more than was taken over', async () => {
    const { id: old, refund } = await debtor()
    await close(old)
    const next = await enrol()
    const spent = (await rowsOf(old)).find(({ type }: { type: string }) => type === 'adjust')
    await shop.post(`/v1/loyalty/transactions/${spent.id}/reverse`)
    expect(await balances(old, next)).toEqual([0, 0])
    await earning.report('refund.failed', refund)
    expect(await balances(old, next)).toEqual([100, 0])
  })
})

it('a refund that races the next account ends on one of them, never lost', async () => {
  for (let round = 0; round < 8; round++) {
    customer = `cust_${newId('op')}`
    const { id: old, payment } = await spender()
    await close(old)
    const [next] = await Promise.all([enrol(), earning.refund(payment)])
    expect(await balances(old, next)).toEqual([0, -100])
  }
})

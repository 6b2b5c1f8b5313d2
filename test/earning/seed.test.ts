import { afterAll, beforeAll, expect, test } from 'vitest'
import { seedRule } from '../../dev/demo.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { ended } from '../support/redeem.ts'
import { amounts, earningIn } from './earn.ts'

// linking-payments-and-loyalty.txt, snippet by snippet and table by table.
let shop: Shop
let earning: ReturnType<typeof earningIn>
beforeAll(async () => {
  shop = await openShop()
  await seedRule(shop.pool, shop.workspace)
  earning = earningIn(shop)
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

test('a payment of EUR 42.00 by a linked customer earns 42 points, with no further call', async () => {
  const before = await earning.balance('loy_9f2k')
  const { id } = await earning.pay({ customer: 'cust_abc123' })
  const rows = await earning.rows(id)
  expect(rows).toMatchObject([
    {
      account: 'loy_9f2k',
      points: 42,
      type: 'earn',
      source: { payment: id, amount: 4_200, currency: 'eur' },
    },
  ])
  expect(rows[0]?.id).toMatch(/^ptx_/)
  expect(await earning.balance('loy_9f2k')).toBe(before + 42)
})

test('a guest payment that pins the member in its metadata earns for that member', async () => {
  const { id } = await earning.pay({ metadata: { loyalty_account: 'loy_8sd2k1' } })
  expect(await earning.rows(id)).toMatchObject([{ account: 'loy_8sd2k1', points: 42 }])
})

test('the customer comes before the member that the metadata names, where it has an account', async () => {
  const { id } = await earning.pay({
    customer: 'cust_abc123',
    metadata: { loyalty_account: 'loy_8sd2k1' },
  })
  expect(await earning.rows(id)).toMatchObject([{ account: 'loy_9f2k' }])
})

test('a named member earns where the customer has no account', async () => {
  const { id } = await earning.pay({
    customer: 'cust_nobody',
    metadata: { loyalty_account: 'loy_8sd2k1' },
  })
  expect(await earning.rows(id)).toMatchObject([{ account: 'loy_8sd2k1', points: 42 }])
})

test('loyalty.points.earned names the account, the points and the payment', async () => {
  const { id } = await earning.pay({ customer: 'cust_abc123' })
  const { rows } = await shop.owner.query(
    `select t.account, t.amount, t.source from event e join ptx t on t.workspace = e.workspace and t.id = e.object
     where e.workspace = $1 and e.type = 'loyalty.points.earned' and t.payment = $2`,
    [shop.workspace, id],
  )
  expect(rows).toMatchObject([{ account: 'loy_9f2k', amount: 42, source: { payment: id } }])
})

test('a redemption at checkout: EUR 37.00 are charged, and 37 points earned', async () => {
  const { body } = await shop.post('/v1/loyalty/redemptions', {
    account: 'loy_9f2k',
    reward: 'rwd_5eur_off',
  })
  expect(body.discount).toMatchObject({ amount: 500 })
  const paid = await earning.pay({ customer: 'cust_abc123', redemptions: [body.id] })
  expect(paid.amount_charged).toBe(3_700)
  await ended(shop, body.id)
  expect(amounts(await earning.rows(paid.id))).toEqual([
    ['redeem', -500],
    ['earn', 37],
  ])
})

test.each([
  ['Full (EUR 42.00)', 4_200, 42, 'refunded'],
  ['Partial (EUR 21.00)', 2_100, 21, 'partially_refunded'],
])(
  'the table of refunds, %s: EUR %d claws back %d points',
  async (_what, amount, points, status) => {
    const before = await earning.balance('loy_9f2k')
    const { id } = await earning.pay({ customer: 'cust_abc123' })
    const refund = await earning.refund(id, { amount })
    const rows = await earning.rows(id)
    expect(rows[1]).toMatchObject({
      account: 'loy_9f2k',
      points: -points,
      type: 'clawback',
      source: { refund: refund.id, payment: id },
    })
    expect(rows[1]?.id).toMatch(/^ptx_/)
    expect(await earning.balance('loy_9f2k')).toBe(before + 42 - points)
    const { body } = await shop.get(`/v1/payments/${id}`)
    expect(body).toMatchObject({
      status,
      amount_refunded: amount,
      refunds: [{ id: refund.id, payment: id, amount }],
    })
  },
)

test('points already spent make the balance negative, and later earnings absorb the deficit', async () => {
  const member = await earning.member()
  const first = await earning.pay({ customer: member.customer })
  await shop.post('/v1/loyalty/transactions', { account: member.id, amount: -40, reason: 'spent' })
  await earning.refund(first.id)
  expect(await earning.balance(member.id)).toBe(-40)
  await earning.pay({ customer: member.customer, amount: 10_000 })
  expect(await earning.balance(member.id)).toBe(60)
})

test('with clawback.allow_negative false the clawback is capped at the balance', async () => {
  const member = await earning.member()
  const first = await earning.pay({ customer: member.customer })
  await shop.post('/v1/loyalty/transactions', { account: member.id, amount: -40, reason: 'spent' })
  await earning.allowNegative(false)
  await earning.refund(first.id)
  await earning.allowNegative(true)
  expect(await earning.balance(member.id)).toBe(0)
  expect(amounts(await earning.rows(first.id))).toEqual([
    ['earn', 42],
    ['clawback', -2],
  ])
})

test('a member added after the payment does not earn, unless the award is replayed', async () => {
  const customer = 'cust_late_member'
  const { id } = await earning.pay({ customer })
  const { body } = await shop.post('/v1/loyalty/accounts', { customer })
  await earning.report('payment.completed', { id, amount: 4_200, currency: 'eur', customer })
  expect(await earning.rows(id)).toEqual([])
  for (let time = 1; time <= 2; time++) {
    const { status, body: award } = await shop.post(`/v1/payments/${id}/replay_award`)
    expect([status, award.transactions.map(({ points }: { points: number }) => points)]).toEqual([
      200,
      [42],
    ])
  }
  expect(await earning.balance(body.id)).toBe(42)
})

test('net earned is earn minus clawback, in a window that created[gte] opens', async () => {
  const member = await earning.member()
  const since = Math.floor(Date.now() / 1_000)
  const { id } = await earning.pay({ customer: member.customer })
  await earning.refund(id, { amount: 2_100 })
  const { body } = await shop.get(
    `/v1/loyalty/transactions?account=${member.id}&created[gte]=${since}`,
  )
  expect(body.data.map(({ points }: { points: number }) => points)).toEqual([-21, 42])
  const later = await shop.get(
    `/v1/loyalty/transactions?account=${member.id}&created[gte]=${since + 3_600}`,
  )
  expect(later.body.data).toEqual([])
})

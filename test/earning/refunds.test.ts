import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accountExpire, paymentProcess, paymentReplayAward } from '../../db/ledger.gen.ts'
import { seedRule } from '../../dev/demo.ts'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { ended } from '../support/redeem.ts'
import { amounts, earningIn, eventOf } from './earn.ts'

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

const redeemed = () =>
  shop.post('/v1/loyalty/redemptions', { account: 'loy_8sd2k1', reward: 'rwd_fivecredit' })

const paymentOf = (more: object = {}) => ({
  id: newId('pay'),
  amount: 4_200,
  currency: 'eur',
  ...more,
})

describe('points that a failed refund gives back to a lot with a date', () => {
  const DAY_MS = 86_400_000
  /** A member with 42 points of a payment, checked, refunded, and checked while it had none. */
  const refunded = async (warnDaysBefore: number) => {
    const { body } = await shop.post('/v1/loyalty/programs', {
      name: 'Dated',
      expiry: { mode: 'rolling', months: 2, warnDaysBefore },
    })
    await earning.rule({ program: body.id })
    const member = await earning.member({ program: body.id })
    const paid = await earning.pay({ customer: member.customer })
    const due = new Date((await earning.account(member.id)).expiring_points[0].expires_at)
    const check = () =>
      accountExpire(shop.pool, { workspace: shop.workspace, account: member.id, at: new Date() })
    await check() // the account's run may come later than the refund
    const refund = await earning.refund(paid.id)
    await check()
    return { member, due, refund: { id: refund.id, payment: paid.id } }
  }
  const nextCheck = async (account: string): Promise<Date | null> => {
    const { rows } = await shop.owner.query('select expiry_wake_at from account where id = $1', [
      account,
    ])
    return rows[0].expiry_wake_at
  }

  test('are checked for their warning, and expire at their date', async () => {
    const { member, due, refund } = await refunded(10)
    expect(await nextCheck(member.id)).toBeNull()
    await earning.report('refund.failed', refund)
    expect(await shop.reconcile()).toEqual([])
    expect(await nextCheck(member.id)).toEqual(new Date(due.getTime() - 10 * DAY_MS))
    await accountExpire(shop.pool, { workspace: shop.workspace, account: member.id, at: due })
    expect(await earning.balance(member.id)).toBe(0)
  })

  test('are checked for the date itself where it was warned of before', async () => {
    const { member, due, refund } = await refunded(100)
    await earning.report('refund.failed', refund)
    expect(await nextCheck(member.id)).toEqual(due)
  })

  test('are warned of in time where an earlier date, warned of before, comes back with them', async () => {
    const { body } = await shop.post('/v1/loyalty/programs', {
      name: 'Dated',
      expiry: { mode: 'never', warnDaysBefore: 10 },
    })
    const { id: account } = await earning.member({ program: body.id })
    const post = async (amount: number, days?: number) => {
      const expires_at = days && new Date(Date.now() + days * DAY_MS).toISOString()
      const answer = await shop.post('/v1/loyalty/transactions', {
        account,
        amount,
        reason: 'x',
        ...(expires_at && { expires_at }),
      })
      return answer.body
    }
    const check = () =>
      accountExpire(shop.pool, { workspace: shop.workspace, account, at: new Date() })
    await post(1, 5)
    const later = await post(2, 12)
    await check() // warns of the first
    const spent = await post(-3)
    await check()
    expect(await nextCheck(account)).toBeNull()
    await shop.post(`/v1/loyalty/transactions/${spent.id}/reverse`, {})
    expect(await nextCheck(account)).toEqual(
      new Date(Date.parse(later.expires_at) - 10 * DAY_MS), // before the first expires
    )
  })
})

describe('refunds in the sandbox', () => {
  test('in parts take the target of all so far, minus the targets before', async () => {
    const member = await earning.member()
    const { id } = await earning.pay({ customer: member.customer, amount: 1_000 }) // 10 points
    for (const amount of [333, 333, 333]) await earning.refund(id, { amount })
    expect(amounts(await earning.rows(id))).toEqual([
      ['earn', 10],
      ['clawback', -3],
      ['clawback', -3],
      ['clawback', -3],
    ])
    await earning.refund(id)
    expect(amounts(await earning.rows(id)).at(-1)).toEqual(['clawback', -1])
    expect(await earning.balance(member.id)).toBe(0)
  })

  test('sent twice with one key refund once', async () => {
    const { id } = await earning.pay({ customer: 'cust_abc123' })
    const send = () =>
      shop.post('/v1/refunds', { payment: id, amount: 2_100 }, { idempotencyKey: `refund ${id}` })
    const answers = await Promise.all([send(), send(), send()])
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 201])
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    await earning.processed(id)
    expect(amounts(await earning.rows(id))).toEqual([
      ['earn', 42],
      ['clawback', -21],
    ])
  })

  test.each([
    ['more than the payment', { amount: 4_201 }, 400, 'parameter_invalid'],
    ['nothing', { amount: 0 }, 400, 'parameter_invalid'],
    ['a fraction', { amount: 0.5 }, 400, 'parameter_invalid'],
    ['an unknown field', { amounts: 5 }, 400, 'parameter_unknown'],
  ])('of %s are refused', async (_what, more, status, code) => {
    const { id } = await earning.pay({ customer: 'cust_abc123' })
    const answer = await shop.post('/v1/refunds', { payment: id, ...more })
    expect([answer.status, answer.body.error.code]).toEqual([status, code])
  })

  test('of an unknown, open or refunded payment are refused, and the key stays free', async () => {
    expect((await shop.post('/v1/refunds', { payment: 'pay_nobody' })).body.error).toMatchObject({
      code: 'resource_missing',
      param: 'payment',
    })
    const open = await shop.post('/v1/payments', {
      amount: 100,
      currency: 'eur',
      card: '4000000000003220',
    })
    const send = () =>
      shop.post('/v1/refunds', { payment: open.body.id }, { idempotencyKey: 'early refund' })
    expect([(await send()).status, (await send()).body.error.code]).toEqual([422, 'not_reversible'])
    await shop.post(`/v1/payments/${open.body.id}/confirm`)
    expect((await send()).status).toBe(201)
    const again = await shop.post('/v1/refunds', { payment: open.body.id })
    expect(again.status).toBe(422)
    expect(again.body.error).toMatchObject({ code: 'not_reversible', status: 'refunded' })
  })

  test('begin no second run of a redemption that the payment applied', async () => {
    const { id: redemption } = (await redeemed()).body
    const { id } = await earning.pay({ redemptions: [redemption] })
    expect((await ended(shop, redemption)).status).toBe('applied')
    const run = shop.engine.client.workflow.getHandle(redemption)
    const { runId } = await run.describe()
    await earning.refund(id, { amount: 100 })
    await earning.refund(id)
    expect((await run.describe()).runId).toBe(runId)
  })

  test('are retrieved, and listed by payment', async () => {
    const { id } = await earning.pay({ customer: 'cust_abc123' })
    const refund = await earning.refund(id, {
      amount: 100,
      reason: 'too late',
      metadata: { order: '7' },
    })
    const { body } = await shop.get(`/v1/refunds/${refund.id}`)
    expect(body).toMatchObject({
      object: 'refund',
      payment: id,
      amount: 100,
      reason: 'too late',
      status: 'succeeded',
      metadata: { order: '7' },
    })
    expect((await shop.get(`/v1/refunds?payment=${id}`)).body.data).toEqual([body])
  })

  test('leave the redemption alone unless asked; return_redemption reverses it, once', async () => {
    const redeem = async () =>
      (
        await shop.post('/v1/loyalty/redemptions', {
          account: 'loy_8sd2k1',
          reward: 'rwd_fivecredit',
        })
      ).body.id as string
    const [kept, returned] = [await redeem(), await redeem()]
    const paid = [
      await earning.pay({ redemptions: [kept] }),
      await earning.pay({ redemptions: [returned] }),
    ]
    await Promise.all([ended(shop, kept), ended(shop, returned)])
    const before = await earning.balance('loy_8sd2k1')
    await earning.refund(paid[0]?.id ?? '')
    await earning.refund(paid[1]?.id ?? '', { amount: 1_000, return_redemption: true })
    await earning.refund(paid[1]?.id ?? '', { return_redemption: true })
    expect(await earning.balance('loy_8sd2k1')).toBe(before + 500)
    const statuses = [kept, returned].map(
      async (id) => (await shop.get(`/v1/loyalty/redemptions/${id}`)).body.status,
    )
    expect(await Promise.all(statuses)).toEqual(['applied', 'reversed'])
  })
})

describe('an order paid by points alone', () => {
  /** EUR 5.00 for 500 points: nothing is charged, and a fixed award of 7 points earned. */
  async function freeOrder(more: object = {}) {
    const member = await earning.member()
    await earning.rule({ award: { fixed: 7 }, conditions: { metadata: { order: member.id } } })
    const gift = { account: member.id, amount: 500, reason: 'gift' }
    await shop.post('/v1/loyalty/transactions', gift)
    const asked = { account: member.id, reward: 'rwd_fivecredit' }
    const redemption = (await shop.post('/v1/loyalty/redemptions', asked)).body.id as string
    const { id } = await earning.pay({
      amount: 500,
      customer: member.customer,
      redemptions: [redemption],
      metadata: { order: member.id },
      ...more,
    })
    const refund = (asking: object) => shop.post('/v1/refunds', { payment: id, ...asking })
    return { id, redemption, refund, balance: () => earning.balance(member.id) }
  }

  test.each([[{}], [{ amount: 0 }]])(
    'is refunded by 0, asked for by %j: its points return and what it earned is taken back, once',
    async (amount) => {
      const { id, redemption, refund, balance } = await freeOrder()
      expect(await balance()).toBe(7)
      const [first, second] = await Promise.all(
        [1, 2].map(() => refund({ return_redemption: true, ...amount })),
      )
      expect(new Set([first?.status, second?.status])).toEqual(new Set([201, 422]))
      await earning.processed(id)
      expect(await balance()).toBe(500)
      const again = await refund({ return_redemption: true, ...amount })
      expect([again.status, again.body.error.code]).toEqual([422, 'not_reversible'])
      const { body } = await shop.get(`/v1/loyalty/redemptions/${redemption}`)
      expect(body).toMatchObject({ status: 'reversed', reversed_points: 500 })
      const { body: payment } = await shop.get(`/v1/payments/${id}`)
      expect(payment).toMatchObject({ status: 'refunded', amount_refunded: 0 })
      expect(payment.refunds).toMatchObject([{ amount: 0, status: 'succeeded' }])
    },
  )

  test('is not refunded by 1, nor by nothing that returns', async () => {
    const { refund, balance } = await freeOrder()
    for (const asking of [{ amount: 1, return_redemption: true }, {}, { amount: 0 }]) {
      const answer = await refund(asking)
      expect([answer.status, answer.body.error.code]).toEqual([422, 'not_reversible'])
    }
    expect(await balance()).toBe(7)
  })

  test('whose refund fails earns again; the redemption stays reversed', async () => {
    const { id, refund, balance } = await freeOrder()
    const { body } = await refund({ return_redemption: true })
    await earning.processed(id)
    await earning.report('refund.failed', { id: body.id, payment: id })
    expect(await balance()).toBe(507)
  })
})

describe('refunds by webhook', () => {
  test('as the whole payment with its refunds, however often and in whatever order', async () => {
    const member = await earning.member()
    const payment = paymentOf({ customer: member.customer })
    const first = { id: 're_1a', payment: payment.id, amount: 1_000 }
    const second = { id: 're_1b', payment: payment.id, amount: 1_100 }
    await earning.report('payment.refunded', { ...payment, refunds: [first, second] })
    await earning.report('payment.completed', payment)
    await earning.report('payment.refunded', { ...payment, refunds: [first] })
    await earning.report('payment.refunded', { ...payment, refunds: [first, second] })
    expect(amounts(await earning.rows(payment.id))).toEqual([
      ['earn', 42],
      ['clawback', -10],
      ['clawback', -11],
    ])
    expect((await shop.get(`/v1/payments/${payment.id}`)).body).toMatchObject({
      status: 'partially_refunded',
      amount_refunded: 2_100,
    })
  })

  test('before their payment is known are kept, and applied when it comes', async () => {
    const member = await earning.member()
    const payment = paymentOf({ customer: member.customer })
    const refund = { id: `re_${payment.id}`, payment: payment.id, amount: 2_100 }
    await earning.report('refund.created', refund)
    const { body } = await shop.get('/v1/loyalty/programs/prog_default/reconciliation')
    expect(body.mismatches).toContainEqual({
      reason: 'refund_of_unknown_payment',
      payment: payment.id,
      refund: refund.id,
      amount: 2_100,
    })
    await earning.report('payment.completed', payment)
    expect(amounts(await earning.rows(payment.id))).toEqual([
      ['earn', 42],
      ['clawback', -21],
    ])
    expect((await shop.get(`/v1/payments/${payment.id}`)).body.status).toBe('partially_refunded')
  })

  test('that fail later give the points back, to the lots they came from, whatever comes after', async () => {
    const member = await earning.member()
    const payment = paymentOf({ customer: member.customer })
    const refund = { id: `re_${payment.id}`, payment: payment.id, amount: 4_200 }
    await earning.report('payment.completed', payment)
    await shop.post('/v1/loyalty/transactions', {
      account: member.id,
      amount: -40,
      reason: 'spent',
    })
    await earning.report('payment.refunded', { ...payment, refunds: [refund] })
    expect(await earning.balance(member.id)).toBe(-40)
    await earning.report('refund.failed', refund)
    await earning.report('payment.refunded', { ...payment, refunds: [refund] })
    expect(await earning.balance(member.id)).toBe(2)
    const rows = await earning.rows(payment.id)
    expect(amounts(rows)).toEqual([
      ['earn', 42],
      ['clawback', -42],
      ['clawback', 42],
    ])
    expect(rows[2]).toMatchObject({
      reverses: rows[1]?.id,
      source: { refund: refund.id, payment: payment.id },
    })
    expect((await shop.get(`/v1/payments/${payment.id}`)).body).toMatchObject({
      status: 'completed',
      amount_refunded: 0,
    })
  })

  test('larger than the payment take all of it, no more, and are listed', async () => {
    const member = await earning.member()
    const payment = paymentOf({ customer: member.customer })
    await earning.report('payment.completed', payment)
    await earning.report('refund.created', {
      id: `re_${payment.id}`,
      payment: payment.id,
      amount: 9_900,
    })
    expect(await earning.balance(member.id)).toBe(0)
    expect((await shop.get(`/v1/payments/${payment.id}`)).body).toMatchObject({
      status: 'refunded',
      amount_refunded: 4_200,
      refunds: [{ amount: 9_900 }],
    })
    const { body } = await shop.get('/v1/loyalty/programs/prog_default/reconciliation')
    expect(body.mismatches).toContainEqual({
      reason: 'refund_exceeds_payment',
      payment: payment.id,
      refund: `re_${payment.id}`,
      amount: 9_900,
    })
  })

  test('a dispute takes the points back, one that is won returns them', async () => {
    const member = await earning.member()
    const payment = paymentOf({ customer: member.customer })
    const dispute = { id: `dp_${payment.id}`, payment: payment.id, amount: 4_200 }
    await earning.report('payment.completed', payment)
    await earning.report('dispute.created', { ...dispute, status: 'needs_response' })
    expect(await earning.balance(member.id)).toBe(0)
    expect((await shop.get(`/v1/payments/${payment.id}`)).body).toMatchObject({
      status: 'completed',
      disputes: [{ id: dispute.id }],
    })
    await earning.report('dispute.closed', { ...dispute, status: 'won' })
    expect(await earning.balance(member.id)).toBe(42)
  })

  test('an inquiry takes nothing, by itself or in the payment’s list; a dispute that comes of it takes all', async () => {
    const member = await earning.member()
    const payment = paymentOf({ customer: member.customer })
    const dispute = { id: `dp_${payment.id}`, amount: 4_200, status: 'warning_needs_response' }
    await earning.report('payment.completed', payment)
    await earning.report('dispute.created', { ...dispute, payment: payment.id })
    await earning.report('payment.completed', { ...payment, disputes: [dispute] })
    expect(await earning.balance(member.id)).toBe(42)
    const status = 'needs_response'
    await earning.report('dispute.updated', { ...dispute, status, payment: payment.id })
    expect(await earning.balance(member.id)).toBe(0)
  })

  test('a dispute is read under the id its provider gave it, alone and in the list, page by page', async () => {
    const member = await earning.member()
    const payment = paymentOf({ customer: member.customer })
    await earning.report('payment.completed', payment)
    const ids = [`dp_${payment.id}`, `du-1/${payment.id}`]
    for (const id of ids) {
      await earning.report('dispute.created', {
        id,
        payment: payment.id,
        amount: 100,
        status: 'needs_response',
      })
    }
    for (const id of ids) {
      const { status, body } = await shop.get(`/v1/refunds/${encodeURIComponent(id)}`)
      expect([status, body.object, body.id, body.amount]).toEqual([200, 'dispute', id, 100])
    }
    const path = `/v1/refunds?payment=${payment.id}&limit=1`
    const first = await shop.get(path)
    const [newest] = first.body.data
    expect([first.body.has_more, newest.object]).toEqual([true, 'dispute'])
    const next = await shop.get(`${path}&starting_after=${encodeURIComponent(newest.id)}`)
    expect(new Set([newest.id, next.body.data[0].id])).toEqual(new Set(ids))
    for (const id of ['dp_nobody', '%00', '%0a', 'x'.repeat(256)]) {
      expect((await shop.get(`/v1/refunds/${id}`)).status).toBe(404)
    }
  })

  test('what a clawback may not take is forgiven, and the reconciliation says so', async () => {
    const member = await earning.member()
    const { id } = await earning.pay({ customer: member.customer })
    await shop.post('/v1/loyalty/transactions', {
      account: member.id,
      amount: -42,
      reason: 'spent',
    })
    await earning.allowNegative(false)
    const refund = await earning.refund(id)
    await earning.allowNegative(true)
    const { body } = await shop.get('/v1/loyalty/programs/prog_default/reconciliation')
    expect(body.mismatches).toContainEqual(
      expect.objectContaining({
        reason: 'clawback_forgiven',
        refund: refund.id,
        account: member.id,
        points: 42,
      }),
    )
  })

  test('points that expired before are not taken again from others', async () => {
    const member = await earning.member()
    const { id } = await earning.pay({ customer: member.customer })
    await shop.owner.query(
      `update lot set expires_at = now() - interval '1 second' where account = $1`,
      [member.id],
    )
    await shop.owner.query(
      `update account set lots_due_from = now() - interval '1 second' where id = $1`,
      [member.id],
    )
    await shop.post('/v1/loyalty/transactions', { account: member.id, amount: 100, reason: 'gift' })
    await earning.refund(id)
    expect(await earning.balance(member.id)).toBe(100)
  })

  test.each([
    ['no amount', { id: 're_x', payment: 'pay_x', amount: -1 }, 'data.amount'],
    ['an id that is none', { id: '', payment: 'pay_x', amount: 5 }, 'data.id'],
    ['a payment that is none', { id: 're_x', payment: 'nonsense', amount: 5 }, 'data.payment'],
  ])('with %s are refused by name', async (_what, data, param) => {
    const answer = await shop.webhook(eventOf('refund.created', data))
    expect([answer.status, answer.body.error.param]).toEqual([400, param])
  })
})

describe('a payment without a member', () => {
  test('is recorded, earns nothing, and stands in the reconciliation', async () => {
    const { id } = await earning.pay()
    const ghost = await earning.pay({ metadata: { loyalty_account: 'loy_ghost' } })
    const { body } = await shop.get('/v1/loyalty/programs/prog_default/reconciliation')
    expect(body.mismatches).toContainEqual({
      reason: 'payment_without_member',
      payment: id,
      amount: 4_200,
    })
    expect(body.mismatches).toContainEqual({
      reason: 'member_unknown',
      payment: ghost.id,
      amount: 4_200,
    })
  })

  test('earns once its customer is named by a later event, for who was a member then', async () => {
    const member = await earning.member()
    const payment = paymentOf()
    await earning.report('payment.completed', payment)
    await earning.report('payment.completed', { ...payment, customer: member.customer })
    expect(await earning.balance(member.id)).toBe(42)
  })

  test('that is first reported by its refund earns nothing for who joined after it was made', async () => {
    const member = await earning.member()
    const payment = paymentOf({ customer: member.customer, created_at: '2026-01-05T10:00:00Z' })
    const refunds = [{ id: `re_${payment.id}`, amount: 2_100 }]
    await earning.report('payment.refunded', { ...payment, refunds })
    expect(await earning.rows(payment.id)).toEqual([])
    expect(await earning.account(member.id)).toMatchObject({ balance: 0, lifetime_points: 0 })
  })

  test('that completed before its member joined earns nothing, however late it is reported', async () => {
    const member = await earning.member()
    const event = {
      ...eventOf('payment.completed', paymentOf({ customer: member.customer })),
      created: 1_700_000_000,
    }
    await shop.webhook(event)
    await earning.processed(event.data && (event.data as { id: string }).id)
    expect(await earning.balance(member.id)).toBe(0)
  })
})

describe('other triggers', () => {
  test('invoice, subscription and referral earn through the same inbox, once', async () => {
    const member = await earning.member()
    await earning.rule({ trigger: 'invoice.paid' })
    await earning.rule({ trigger: 'subscription.created', award: { fixed: 200 } })
    await earning.rule({
      trigger: 'referral.converted',
      award: { fixed: 300 },
      pendingDays: 1 / 86_400,
    })
    const invoice = { id: newId('op'), customer: member.customer, amount: 1_990, currency: 'eur' }
    await earning.report('invoice.paid', invoice, 'evt_invoice_1')
    await earning.report('invoice.paid', invoice, 'evt_invoice_1')
    await earning.report('invoice.paid', invoice, 'evt_invoice_2')
    await earning.report('subscription.created', { id: newId('op'), customer: member.customer })
    await earning.report('referral.converted', { id: newId('op'), account: member.id })
    await expect.poll(() => earning.balance(member.id), { timeout: 20_000 }).toBe(19 + 200 + 300)
    const { body } = await shop.get(`/v1/loyalty/transactions?account=${member.id}`)
    expect(body.data.at(-1).source).toMatchObject({
      invoice: invoice.id,
      event: 'evt_invoice_1',
      amount: 1_990,
      currency: 'eur',
    })
  })

  test('an invoice that names its payment is taken back with its refunds', async () => {
    const member = await earning.member()
    const payment = paymentOf({ amount: 1_000 })
    await earning.report('payment.completed', payment)
    await earning.report('invoice.paid', {
      id: newId('op'),
      customer: member.customer,
      amount: 1_000,
      currency: 'eur',
      payment: payment.id,
    })
    await earning.processed(payment.id)
    await expect.poll(() => earning.balance(member.id)).toBe(10)
    await earning.report('refund.created', {
      id: `re_${payment.id}`,
      payment: payment.id,
      amount: 500,
    })
    expect(await earning.balance(member.id)).toBe(5)
  })
})

test('one payment worked off 30 times at once, its refund and its replay between, is earned and taken back once', async () => {
  const member = await earning.member()
  const payment = paymentOf({ customer: member.customer })
  await shop.webhook(eventOf('payment.completed', payment))
  const refund = { id: `re_${payment.id}`, payment: payment.id, amount: 2_100 }
  await Promise.all(
    Array.from({ length: 30 }, (_, turn) => {
      if (turn % 10 === 3) return shop.webhook(eventOf('refund.created', refund))
      const work = turn % 3 === 0 ? paymentReplayAward : paymentProcess
      return work.answer(shop.pool, { workspace: shop.workspace, id: payment.id, at: new Date() })
    }),
  )
  await earning.processed(payment.id)
  expect(amounts(await earning.rows(payment.id))).toEqual([
    ['earn', 42],
    ['clawback', -21],
  ])
})

test('payments are listed by what their refunds make of them', async () => {
  const { id } = await earning.pay({ customer: 'cust_listed' })
  const listed = async (status: string) =>
    (await shop.get(`/v1/payments?customer=cust_listed&status=${status}`)).body.data.length
  const counts = () => Promise.all(['completed', 'partially_refunded', 'refunded'].map(listed))
  expect(await counts()).toEqual([1, 0, 0])
  await earning.refund(id, { amount: 100 })
  expect(await counts()).toEqual([0, 1, 0])
  await earning.refund(id)
  expect(await counts()).toEqual([0, 0, 1])
})

test('nothing is left in the inbox', async () => {
  const { rows } = await shop.owner.query('select id, type from inbox where processed_at is null')
  expect(rows).toEqual([])
})

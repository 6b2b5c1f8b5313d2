import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { paymentWorkflowId } from '../../temporal/names.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { signalPayment } from '../support/payment-run.ts'
import { ended } from '../support/redeem.ts'
import { amounts, earningIn } from './earn.ts'

let shop: Shop
let earning: ReturnType<typeof earningIn>
beforeAll(async () => {
  shop = await openShop()
  earning = earningIn(shop)
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

/** A program of its own, so that the rules of one test are not another's. */
let made = 0
async function program(more: Record<string, unknown> = {}): Promise<string> {
  const id = `prog_t${++made}`
  await shop.owner.query(
    `insert into program (workspace, id, name, decimals, rounding, auto_enroll, tier_config, expiry_time_zone)
     values ($1, $2, 'Test', $3, $4, $5, $6, $7)`,
    [
      shop.workspace,
      id,
      more.decimals ?? 0,
      more.rounding ?? 'down',
      more.auto_enroll ?? false,
      more.tier_config ?? null,
      more.time_zone ?? 'UTC',
    ],
  )
  return id
}

describe('a rule', () => {
  test('is created, read back, listed, changed and ended', async () => {
    const of = await program()
    const award = {
      per_currency: { EUR: { points: 1, amount: 100 }, sek: { points: 1, amount: 1_000 } },
    }
    const { status, body } = await shop.post('/v1/loyalty/earning_rules', {
      program: of,
      award,
      multiplier: 2,
      cap: { points: 100, window: 'week' },
      conditions: { min_amount: 500, metadata: { channel: 'app' } },
    })
    expect([status, body]).toMatchObject([
      201,
      {
        object: 'earning_rule',
        trigger: 'payment.completed',
        multiplier: 2,
        pendingDays: 0,
        active: true,
        award: {
          per_currency: { eur: { points: 1, amount: 100 }, sek: { points: 1, amount: 1_000 } },
        },
        cap: { points: 100, window: 'week' },
        conditions: { min_amount: 500, metadata: { channel: 'app' } },
      },
    ])
    expect((await shop.get(`/v1/loyalty/earning_rules/${body.id}`)).body).toEqual(body)
    expect((await shop.get(`/v1/loyalty/earning_rules?program=${of}`)).body.data).toEqual([body])
    const changed = await shop.patch(`/v1/loyalty/earning_rules/${body.id}`, {
      active: false,
      cap: null,
      conditions: { min_amount: 700 },
    })
    expect(changed.body).toMatchObject({
      active: false,
      cap: null,
      multiplier: 2,
      conditions: { min_amount: 700, metadata: { channel: 'app' } },
    })
    expect(
      (await shop.get(`/v1/loyalty/earning_rules?program=${of}&active=true`)).body.data,
    ).toEqual([])
  })

  test('sent twice with one key is one rule; the key with another body is refused', async () => {
    const body = { award: { fixed: 5 }, trigger: 'referral.converted', active: false }
    const send = (more: object = {}) =>
      shop.post('/v1/loyalty/earning_rules', { ...body, ...more }, { idempotencyKey: 'rule-1' })
    const first = await send()
    const again = await send()
    expect([
      first.status,
      again.status,
      again.headers['idempotent-replayed'],
      again.body.id,
    ]).toEqual([201, 200, 'true', first.body.id])
    expect((await send({ multiplier: 2 })).body.error.code).toBe('idempotency_key_reused')
  })

  test.each([
    ['no award', {}, 'award'],
    [
      'two awards',
      { award: { fixed: 1, per_amount: { points: 1, amount: 1, currency: 'eur' } } },
      'award',
    ],
    ['no points', { award: { fixed: 0 } }, 'award'],
    [
      'for no amount',
      { award: { per_amount: { points: 1, amount: 0, currency: 'eur' } } },
      'award',
    ],
    [
      'a currency that is none',
      { award: { per_amount: { points: 1, amount: 100, currency: 'qqq' } } },
      'award',
    ],
    ['a multiplier of nothing', { award: { fixed: 1 }, multiplier: 0 }, 'multiplier'],
    ['a trigger we do not know', { award: { fixed: 1 }, trigger: 'payment.dreamt' }, 'trigger'],
    ['days before it', { award: { fixed: 1 }, pendingDays: -1 }, 'pendingDays'],
    [
      'an end before its start',
      { award: { fixed: 1 }, starts_at: '2026-02-01T00:00:00Z', ends_at: '2026-01-01T00:00:00Z' },
      'ends_at',
    ],
    [
      'a welcome by what was charged',
      {
        trigger: 'loyalty.account.created',
        award: { per_amount: { points: 1, amount: 1, currency: 'eur' } },
      },
      'award',
    ],
    ['an unknown field', { award: { fixed: 1 }, colour: 'red' }, 'colour'],
  ])('with %s is refused by name', async (_what, body, param) => {
    const answer = await shop.post('/v1/loyalty/earning_rules', body)
    expect(answer.status).toBe(400)
    expect(answer.body.error.param).toMatch(new RegExp(`^${param}`))
  })
})

describe('a payment', () => {
  test('that several rules match writes a transaction for each, with the rule as it was', async () => {
    const of = await program()
    const base = await earning.rule({ program: of })
    const bonus = await earning.rule({
      program: of,
      award: { fixed: 100 },
      conditions: { min_amount: 4_000 },
      name: 'big basket',
    })
    await earning.rule({ program: of, award: { fixed: 1 }, conditions: { min_amount: 4_201 } })
    await earning.rule({ program: of, award: { fixed: 1 }, conditions: { currency: 'SEK' } })
    await earning.rule({
      program: of,
      award: { fixed: 1 },
      conditions: { metadata: { channel: 'app' } },
    })
    await earning.rule({ program: of, award: { fixed: 1 }, starts_at: '2100-01-01T00:00:00Z' })
    await earning.rule({ program: of, award: { fixed: 1 }, ends_at: '2000-01-01T00:00:00Z' })
    await earning.rule({ program: of, award: { fixed: 1 }, active: false })
    const member = await earning.member({ program: of })
    const { id } = await earning.pay({ customer: member.customer, metadata: { channel: 'web' } })
    await shop.patch(`/v1/loyalty/earning_rules/${bonus}`, { award: { fixed: 7 } })
    const rows = await earning.rows(id)
    expect(rows.map(({ points, source }) => [points, source.rule])).toEqual([
      [42, base],
      [100, bonus],
    ])
    expect(rows[1]).toMatchObject({
      reason: 'big basket',
      source: { terms: { award: { fixed: 100 }, conditions: { min_amount: 4_000 } } },
    })
    await earning.refund(id, { amount: 1_400 })
    expect(amounts(await earning.rows(id)).slice(2)).toEqual([
      ['clawback', -14],
      ['clawback', -33],
    ])
  })

  test('earns by tier: the rule’s and the tier’s multiplier multiply, and are rounded once', async () => {
    const tiers = [{ name: 'Gold', rank: 1, threshold: 100, multiplier: 1.25 }]
    const of = await program({
      tier_config: { qualifyOn: 'custom', period: { type: 'lifetime' }, tiers },
    })
    await earning.rule({ program: of, multiplier: 1.5 })
    const member = await earning.member({ program: of })
    await shop.owner.query(`update account set tier = 'Gold' where id = $1`, [member.id])
    await earning.pay({ customer: member.customer, amount: 1_010 })
    expect(await earning.balance(member.id)).toBe(18) // 10.1 * 1.875 = 18.9375
  })

  test('is capped for each member and window, the last award being cut, then nothing', async () => {
    const of = await program()
    await earning.rule({ program: of, cap: { points: 100, window: 'day' } })
    const member = await earning.member({ program: of })
    const other = await earning.member({ program: of })
    const [first] = [await earning.pay({ customer: member.customer, amount: 7_000 })]
    await earning.pay({ customer: member.customer, amount: 7_000 })
    const third = await earning.pay({ customer: member.customer, amount: 7_000 })
    await earning.pay({ customer: other.customer, amount: 7_000 })
    expect([await earning.balance(member.id), await earning.balance(other.id)]).toEqual([100, 70])
    expect(await earning.rows(third.id)).toEqual([])
    await earning.refund(first.id) // what a refund took back may be earned again
    await earning.pay({ customer: member.customer, amount: 9_900 })
    expect(await earning.balance(member.id)).toBe(100)
  })

  test('of 20 at once against a cap never earns more than it', async () => {
    const of = await program()
    await earning.rule({ program: of, cap: { points: 100, window: 'lifetime' } })
    const member = await earning.member({ program: of })
    await Promise.all(
      Array.from({ length: 20 }, () => earning.pay({ customer: member.customer, amount: 1_100 })),
    )
    expect(await earning.balance(member.id)).toBe(100)
  })

  test('in a currency that no rule names earns nothing, and the reconciliation says why', async () => {
    const of = await program()
    await earning.rule({ program: of })
    const member = await earning.member({ program: of })
    const { id } = await earning.pay({ customer: member.customer, currency: 'usd' })
    expect(await earning.rows(id)).toEqual([])
    const { body } = await shop.get(`/v1/loyalty/programs/${of}/reconciliation`)
    expect(body.mismatches).toContainEqual({ payment: id, reason: 'no_rule', amount: 4_200 })
  })

  test('earns in every program where the customer is a member', async () => {
    const [one, two] = [await program(), await program({ decimals: 2 })]
    await earning.rule({ program: one })
    await earning.rule({
      program: two,
      award: { per_amount: { points: 0.1, amount: 100, currency: 'eur' } },
    })
    const first = await earning.member({ program: one })
    const { body: second } = await shop.post('/v1/loyalty/accounts', {
      program: two,
      customer: first.customer,
    })
    await earning.pay({ customer: first.customer, amount: 4_250 })
    expect([await earning.balance(first.id), await earning.balance(second.id)]).toEqual([42, 4.25])
  })

  test('enrols its customer where the program does so, with the welcome, once', async () => {
    const of = await program({ auto_enroll: true })
    await earning.rule({ program: of })
    await earning.rule({
      program: of,
      trigger: 'loyalty.account.created',
      award: { fixed: 500 },
      name: 'welcome',
    })
    const customer = 'cust_new_here'
    await Promise.all([1, 2, 3].map(() => earning.pay({ customer })))
    const { body } = await shop.get(`/v1/loyalty/accounts?program=${of}&customer=${customer}`)
    expect(body.data).toMatchObject([{ balance: 500 + 3 * 42, status: 'active' }])
    await shop.owner.query('update program set auto_enroll = false where id = $1', [of])
  })

  test('that names a member enrols no stranger beside it, and earns by the customer once that has an account', async () => {
    const [of, other] = [await program({ auto_enroll: true }), await program({ auto_enroll: true })]
    await earning.rule({ program: of })
    await earning.rule({ program: other })
    const named = await earning.member({ program: of })
    const customer = 'cust_unknown_here'
    const accounts = async (where: string) =>
      (await shop.get(`/v1/loyalty/accounts?program=${where}&customer=${customer}`)).body.data
    const metadata = { loyalty_account: named.id }
    await Promise.all([1, 2].map(() => earning.pay({ customer, metadata })))
    expect([await earning.balance(named.id), await accounts(of)]).toEqual([84, []])
    // where the named member is none, the program enrols the customer as ever
    expect(await accounts(other)).toMatchObject([{ balance: 84 }])

    const { body: own } = await shop.post('/v1/loyalty/accounts', { program: of, customer })
    await earning.pay({ customer, metadata })
    expect([await earning.balance(named.id), await earning.balance(own.id)]).toEqual([84, 42])
    await shop.owner.query('update program set auto_enroll = false where id = any($1)', [
      [of, other],
    ])
  })

  test('that names a member by an account merged meanwhile earns for its survivor', async () => {
    const of = await program({ auto_enroll: true })
    await earning.rule({ program: of })
    const [source, target] = [
      await earning.member({ program: of }),
      await earning.member({ program: of }),
    ]
    await shop.post('/v1/loyalty/accounts/merge', { source: source.id, target: target.id })
    await earning.pay({
      customer: 'cust_unknown_there',
      metadata: { loyalty_account: source.id },
    })
    expect(await earning.balance(target.id)).toBe(42)
    await shop.owner.query('update program set auto_enroll = false where id = $1', [of])
  })

  test.each([
    ['payment', 'payment.completed'],
    ['invoice', 'invoice.paid'],
  ])(
    'a named member whose customer is unknown earns by an %s, however it comes',
    async (_what, trigger) => {
      const of = await program({ auto_enroll: true })
      await earning.rule({ program: of, trigger })
      const named = await earning.member({ program: of })
      await earning.report(trigger, {
        id: newId(trigger === 'invoice.paid' ? 'op' : 'pay'),
        amount: 4_200,
        currency: 'eur',
        customer: `cust_stranger_${of}`,
        metadata: { loyalty_account: named.id },
      })
      expect(await earning.balance(named.id)).toBe(42)
      const { body } = await shop.get(`/v1/loyalty/accounts?program=${of}`)
      expect(body.data.map(({ id }: { id: string }) => id)).toEqual([named.id])
      await shop.owner.query('update program set auto_enroll = false where id = $1', [of])
    },
  )

  test('a welcome with pending days waits in a run of the new account', async () => {
    const of = await program({ auto_enroll: true })
    const welcome = { trigger: 'loyalty.account.created', award: { fixed: 500 } }
    await earning.rule({ program: of, ...welcome, pendingDays: 1 / 86_400 })
    await earning.pay({ customer: 'cust_welcome_later' })
    await shop.owner.query('update program set auto_enroll = false where id = $1', [of])
    const { body } = await shop.get(
      `/v1/loyalty/accounts?program=${of}&customer=cust_welcome_later`,
    )
    await ended(shop, paymentWorkflowId(shop.workspace, body.data[0].id))
    expect(await earning.account(body.data[0].id)).toMatchObject({
      balance: 500,
      pending_points: 0,
    })
  })

  test('of a member who left earns nothing; asked for by hand that is account_closed', async () => {
    const of = await program()
    await earning.rule({ program: of })
    const member = await earning.member({ program: of })
    await shop.owner.query(`update account set status = 'closed' where id = $1`, [member.id])
    const { id } = await earning.pay({ customer: member.customer })
    expect(await earning.rows(id)).toEqual([])
    const { body } = await shop.get(`/v1/loyalty/programs/${of}/reconciliation`)
    expect(body.mismatches).toContainEqual(
      expect.objectContaining({ payment: id, reason: 'account_closed', account: member.id }),
    )
    const asked = await shop.post(`/v1/payments/${id}/replay_award`)
    expect([asked.status, asked.body.error.code]).toEqual([422, 'account_closed'])
    await shop.owner.query(`update account set status = 'active' where id = $1`, [member.id])
    expect((await shop.post(`/v1/payments/${id}/replay_award`)).body.transactions).toMatchObject([
      { points: 42 },
    ])
  })

  test('earns once by a rule, whoever its customer is linked to when it is asked for again', async () => {
    const of = await program()
    await earning.rule({ program: of })
    const first = await earning.member({ program: of })
    const { id } = await earning.pay({ customer: first.customer })
    const others = [await earning.member({ program: of }), await earning.member({ program: of })]
    let before = first.id
    for (const { id: other } of others) {
      await shop.patch(`/v1/loyalty/accounts/${before}`, { customer: null })
      await shop.patch(`/v1/loyalty/accounts/${other}`, { customer: first.customer })
      const { body } = await shop.post(`/v1/payments/${id}/replay_award`)
      expect(body.transactions).toMatchObject([{ account: first.id, points: 42 }])
      expect(await earning.balance(other)).toBe(0)
      before = other
    }
    await earning.refund(id)
    expect(await earning.balance(first.id)).toBe(0)
  })

  test('that earned nothing for one member earns for the next, once', async () => {
    const of = await program()
    await earning.rule({ program: of })
    const left = await earning.member({ program: of })
    await shop.post(`/v1/loyalty/accounts/${left.id}/close`)
    const { id } = await earning.pay({ customer: left.customer })
    const next = await earning.member({ program: of, customer: left.customer })
    for (let asked = 0; asked < 2; asked++) await shop.post(`/v1/payments/${id}/replay_award`)
    expect(await earning.balance(next.id)).toBe(42)
    await shop.post(`/v1/loyalty/accounts/${next.id}/close`)
    await shop.post(`/v1/loyalty/accounts/${left.id}/reopen`)
    await shop.post(`/v1/payments/${id}/replay_award`)
    expect(await earning.balance(left.id)).toBe(0)
  })

  test('nor does an invoice reported again of another member', async () => {
    const of = await program()
    await earning.rule({ program: of, trigger: 'invoice.paid', award: { fixed: 10 } })
    const members = [await earning.member({ program: of }), await earning.member({ program: of })]
    const invoice = newId('op')
    for (const { id } of members) await earning.report('invoice.paid', { id: invoice, account: id })
    expect(await Promise.all(members.map(({ id }) => earning.balance(id)))).toEqual([10, 0])
  })

  test('that has not completed has no award to replay', async () => {
    const { body } = await shop.post('/v1/payments', { amount: 4_200, currency: 'eur' })
    const asked = await shop.post(`/v1/payments/${body.id}/replay_award`)
    expect([asked.status, asked.body.error.code, asked.body.error.status]).toEqual([
      409,
      'resource_changed',
      'requires_payment',
    ])
    expect((await shop.post('/v1/payments/pay_nobody/replay_award')).status).toBe(404)
  })
})

describe('pending points', () => {
  const SOON = 1.5 / 86_400 // days

  test('mature by the payment’s run, not before their date', async () => {
    const of = await program()
    await earning.rule({ program: of, pendingDays: SOON })
    const member = await earning.member({ program: of })
    const { body } = await shop.post('/v1/payments', {
      amount: 4_200,
      currency: 'eur',
      customer: member.customer,
      card: '4242424242424242',
    })
    await expect
      .poll(async () => (await earning.account(member.id)).balance, { timeout: 20_000 })
      .toBe(42)
    expect(await earning.account(member.id)).toMatchObject({
      balance: 42,
      pending_points: 0,
      lifetime_points: 42,
    })
    const { rows } = await shop.owner.query(
      `select e.matures_at - e.earned_on > interval '1 s' as waits, t.at >= e.matures_at as waited
       from earning e join ptx t on t.workspace = e.workspace and t.id = e.transaction where e.payment = $1`,
      [body.id],
    )
    expect(rows).toEqual([{ waits: true, waited: true }])
  })

  test('are shrunk first by a refund, and only the rest matures', async () => {
    const of = await program()
    await earning.rule({ program: of, pendingDays: 30 })
    const member = await earning.member({ program: of })
    const { body } = await shop.post('/v1/payments', {
      amount: 4_200,
      currency: 'eur',
      customer: member.customer,
      card: '4242424242424242',
    })
    await shop.post('/v1/refunds', { payment: body.id, amount: 2_100 })
    await expect.poll(async () => (await earning.account(member.id)).pending_points).toBe(21)
    await shop.owner.query('update earning set matures_at = now() where payment = $1', [body.id])
    await signalPayment(shop.engine, {
      workspace: shop.workspace,
      payment: body.id,
      expiresAt: null,
    })
    await ended(shop, paymentWorkflowId(shop.workspace, body.id))
    expect(amounts(await earning.rows(body.id))).toEqual([['earn', 21]])
    expect(await earning.account(member.id)).toMatchObject({ balance: 21, pending_points: 0 })
  })

  test('are not spendable, wait at their date when the worker was away, and the reconciler finds those whose run was lost', async () => {
    const of = await program()
    await earning.rule({ program: of, pendingDays: 30 })
    const member = await earning.member({ program: of })
    const { body } = await shop.post('/v1/payments', {
      amount: 4_200,
      currency: 'eur',
      customer: member.customer,
      card: '4242424242424242',
    })
    await expect.poll(async () => (await earning.account(member.id)).pending_points).toBe(42)
    expect(await earning.balance(member.id)).toBe(0)
    const { rows } = await shop.owner.query('select source from ledger.earnings_overdue($1, 10)', [
      new Date(Date.now() + 31 * 86_400_000),
    ])
    expect(rows).toEqual([{ source: body.id }])
    expect(
      (await shop.owner.query('select source from ledger.earnings_overdue(now(), 10)')).rows,
    ).toEqual([])
  })
})

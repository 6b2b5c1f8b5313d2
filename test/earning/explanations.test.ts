import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'
import { earningIn } from './earn.ts'

let shop: Shop
let earn: ReturnType<typeof earningIn>
beforeAll(async () => {
  shop = await openShop()
  earn = earningIn(shop)
  await shop.owner.query(`update earning_rule set active = false`) // the demo's
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

type Line = Record<string, unknown> & {
  rule: string
  reason: string | null
  points: number
  refunds: Record<string, unknown>[]
  transactions: string[]
}

const explain = async (payment: string) => {
  const { status, body } = await shop.get(`/v1/payments/${payment}/earnings`)
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body as {
    award: string | null
    rules_from: string | null
    judged_at: string
    data: Line[]
  }
}
const preview = async (asked: object) => {
  const { status, body } = await shop.post('/v1/loyalty/earning_previews', asked)
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body as { at: string; rules_from: string | null; data: Line[] }
}
const lineOf = (lines: Line[], rule: string): Line => {
  const line = lines.find((one) => one.rule === rule)
  if (line === undefined) throw new Error(`no line of ${rule}`)
  return line
}
const only = async (rules: string[]) => {
  await shop.owner.query(
    'update earning_rule set active = id = any ($1) where active <> (id = any ($1))',
    [rules],
  )
}

describe('the earnings of a payment', () => {
  it('are explained by rate, multipliers, tier, cap, rounding and transactions', async () => {
    const tiers = [{ name: 'Gold', rank: 1, threshold: 10, multiplier: 1.5 }]
    const program = (
      await shop.post('/v1/loyalty/programs', {
        name: 'Tiered',
        currency: { name: 'Stars', code: 'EUR', decimals: 1, rounding: 'up' },
        tierConfig: { qualifyOn: 'points', period: { type: 'lifetime' }, tiers },
      })
    ).body.id
    const member = await earn.member({ program })
    await shop.post('/v1/loyalty/transactions', { account: member.id, amount: 10, reason: 'gift' })
    const award = { per_amount: { points: 1, amount: 300, currency: 'EUR' } }
    const cap = { points: 30, window: 'day' }
    const rule = await earn.rule({ program, award, multiplier: 2, cap, name: 'Stars' })
    const payment = await earn.pay({ customer: member.customer, amount: 1_000 })
    const { award: outcome, data, rules_from } = await explain(payment.id)
    expect([outcome, rules_from]).toEqual(['awarded', null])
    const rows = await earn.rows(payment.id)
    expect(lineOf(data, rule)).toEqual({
      program,
      account: member.id,
      rule,
      source: payment.id,
      terms: {
        name: 'Stars',
        trigger: 'payment.completed',
        award: { per_amount: { points: 1, amount: 300, currency: 'eur' } },
        conditions: {},
        pendingDays: 0,
      },
      matched: true,
      reason: null,
      outcome: 'earned',
      amount: 1_000,
      currency: 'eur',
      rate: { points: 1, amount: 300 },
      multiplier: 2,
      tier: 'Gold',
      tier_multiplier: 1.5,
      rounding: 'up',
      points_before_cap: 10,
      cap: { points: 30, window: 'day', before: 30, after: 20 },
      points: 10,
      pending_until: null,
      refunds: [],
      points_left: 10,
      transactions: [rows[0]?.id],
    })
    const second = await earn.pay({ customer: member.customer, amount: 2_500 })
    expect(lineOf((await explain(second.id)).data, rule)).toMatchObject({
      points_before_cap: 25,
      points: 20,
      cap: { before: 20, after: 0 },
    })
    const third = await earn.pay({ customer: member.customer })
    expect(lineOf((await explain(third.id)).data, rule)).toMatchObject({
      matched: true,
      reason: 'cap_reached',
      points: 0,
      transactions: [],
    })
  })

  it('say of each rule that gave nothing the first reason why not', async () => {
    const member = await earn.member()
    const later = new Date(Date.now() + 86_400_000).toISOString()
    const before = new Date(Date.now() - 86_400_000).toISOString()
    const reasons = new Map([
      [await earn.rule({ starts_at: later }), 'not_started'],
      [await earn.rule({ ends_at: before }), 'ended'],
      [await earn.rule({ conditions: { min_amount: 5_000 } }), 'below_min_amount'],
      [await earn.rule({ conditions: { currency: 'usd' } }), 'other_currency'],
      [await earn.rule({ conditions: { metadata: { shop: 'a' } } }), 'metadata_differs'],
      [
        await earn.rule({ award: { per_amount: { points: 1, amount: 1, currency: 'usd' } } }),
        'currency_not_awarded',
      ],
      [
        await earn.rule({ award: { per_amount: { points: 1, amount: 9_999, currency: 'eur' } } }),
        'nothing_left',
      ],
      [await earn.rule({ active: false }), 'rule_inactive'],
      [await earn.rule(), null],
    ])
    const { id } = await earn.pay({ customer: member.customer })
    const { data } = await explain(id)
    for (const [rule, reason] of reasons)
      expect([rule, lineOf(data, rule).reason]).toEqual([rule, reason])
    const asked = await preview({ customer: member.customer, amount: 4_200, currency: 'eur' })
    for (const [rule, reason] of reasons) {
      expect([rule, lineOf(asked.data, rule).reason]).toEqual([rule, reason])
    }
    await only([])
  })

  it('are of nobody where nobody was a member, and of nothing before it completes', async () => {
    const rule = await earn.rule()
    const { id } = await earn.pay({ customer: 'cust_nobody_at_all' })
    const found = await explain(id)
    expect(found.award).toBe('no_member')
    expect(lineOf(found.data, rule)).toMatchObject({
      account: null,
      matched: false,
      reason: 'no_member',
    })
    await shop.post('/v1/loyalty/accounts', { customer: 'cust_nobody_at_all' })
    expect(lineOf((await explain(id)).data, rule).reason).toBe('no_member')
    const open = await shop.post('/v1/payments', { amount: 100, currency: 'eur' })
    expect(await explain(open.body.id)).toMatchObject({ award: null, judged_at: null, data: [] })
    await only([])
  })

  it('stay explained by the rules as they were when these change', async () => {
    const member = await earn.member()
    const [rule, other] = [
      await earn.rule(),
      await earn.rule({ conditions: { min_amount: 9_000 } }),
    ]
    const { id } = await earn.pay({ customer: member.customer })
    const before = await explain(id)
    await shop.patch(`/v1/loyalty/earning_rules/${rule}`, { multiplier: 9, name: 'Changed' })
    await shop.patch(`/v1/loyalty/earning_rules/${other}`, { conditions: { min_amount: 1 } })
    await earn.rule({ name: 'Later' })
    await shop.patch('/v1/loyalty/programs/prog_default', { currency: { rounding: 'up' } })
    expect(await explain(id)).toEqual(before)
    await shop.patch('/v1/loyalty/programs/prog_default', { currency: { rounding: 'down' } })
    await only([])
  })

  it('show each refund’s share as it stands, several and failed ones', async () => {
    const member = await earn.member()
    const rule = await earn.rule({
      award: { per_amount: { points: 1, amount: 3, currency: 'eur' } },
    })
    const { id } = await earn.pay({ customer: member.customer, amount: 1_000 })
    const refunds = [await earn.refund(id, { amount: 100 }), await earn.refund(id, { amount: 250 })]
    const line = lineOf((await explain(id)).data, rule)
    expect(line).toMatchObject({ points: 333, points_left: 217 })
    expect(line.refunds).toMatchObject([
      { refund: refunds[0]?.id, kind: 'refund', amount: 100, points: 33, taken: 33 },
      { refund: refunds[1]?.id, kind: 'refund', amount: 250, points: 83, taken: 83 },
    ])
    await earn.report('refund.failed', { id: refunds[0]?.id ?? '', payment: id })
    const after = lineOf((await explain(id)).data, rule)
    const rows = await earn.rows(id)
    expect(after.points_left).toBe(rows.reduce((sum, { amount }) => sum + amount, 0))
    expect(after.transactions).toEqual(rows.map((row) => row.id))
    expect(after.refunds[0]).toMatchObject({ status: 'failed', points: 0 })
    await only([])
  })

  it('that are pending say until when, and what a refund made of them', async () => {
    const member = await earn.member()
    const rule = await earn.rule({ pendingDays: 14 })
    const { id } = await earn.pay({ customer: member.customer })
    await earn.refund(id, { amount: 2_100 })
    const line = lineOf((await explain(id)).data, rule)
    expect(line).toMatchObject({
      outcome: 'pending',
      points: 42,
      points_left: 21,
      transactions: [],
    })
    expect(Date.parse(String(line.pending_until)) - Date.now()).toBeGreaterThan(13 * 86_400_000)
    expect(line.refunds).toMatchObject([{ points: 21, shrunk: 21, taken: 0 }])
    await only([])
  })

  it('of a closed member, and of one merged since, are still found', async () => {
    const rule = await earn.rule()
    const [closed, merged, target] = [await earn.member(), await earn.member(), await earn.member()]
    await shop.post(`/v1/loyalty/accounts/${closed.id}/close`)
    const refused = await earn.pay({ customer: closed.customer })
    expect(lineOf((await explain(refused.id)).data, rule)).toMatchObject({
      account: closed.id,
      matched: true,
      reason: 'account_closed',
    })
    const { id } = await earn.pay({ customer: merged.customer })
    await shop.post('/v1/loyalty/accounts/merge', { source: merged.id, target: target.id })
    expect(lineOf((await explain(id)).data, rule)).toMatchObject({ account: merged.id, points: 42 })
    await only([])
  })
})

describe('rules of before versions were kept', () => {
  it('are not guessed: the answer says since when they are known', async () => {
    const rule = await earn.rule()
    const other = await earn.rule({ conditions: { min_amount: 9_000 } })
    const member = await earn.member()
    const { id } = await earn.pay({ customer: member.customer })
    const from = new Date(Date.now() + 5_000).toISOString()
    // as the migration leaves what was there before it
    await shop.owner.query(
      'alter table program_version disable trigger program_version_append_only',
    )
    const { rows } = await shop.owner.query(
      `update program_version set valid_from = $2 where workspace = $1 and program = 'prog_default'
         and valid_from = (select min(valid_from) from program_version where workspace = $1 and program = 'prog_default')
       returning program`,
      [shop.workspace, from],
    )
    await shop.owner.query(
      `delete from program_version where workspace = $1 and program = 'prog_default' and valid_from < $2`,
      [shop.workspace, from],
    )
    expect(rows.length).toBe(1)
    const found = await explain(id)
    expect(found.rules_from).toBe(from)
    expect(found.data.filter(({ account }) => account !== null).map((line) => line.rule)).toEqual([
      rule,
    ])
    expect(found.data.some((line) => line.rule === other)).toBe(false)
    const asked = await preview({
      account: member.id,
      amount: 100,
      currency: 'eur',
      at: new Date(Date.now() - 1_000).toISOString(),
    })
    expect(asked).toMatchObject({ rules_from: from, data: [] })
    await only([])
  })
})

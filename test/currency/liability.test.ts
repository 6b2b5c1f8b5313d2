import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ledgerRollUp } from '../../db/ledger.gen.ts'

import { newId } from '../../domain/ids.ts'
import { WORKFLOW } from '../../temporal/names.ts'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop

beforeAll(async () => {
  shop = await openShop()
})
afterAll(async () => {
  const broken = await shop.reconcile()
  await shop.close()
  expect(broken).toEqual([])
})

const DAY_MS = 86_400_000
const report = async (program = 'prog_default', at?: Date) => {
  const query = at === undefined ? '' : `?at=${at.toISOString()}`
  return (await shop.get(`/v1/loyalty/programs/${program}/liability${query}`)).body
}

/** A program with one account, and movements on it at any event time. */
async function ledger(settings: object = {}) {
  const program = (await shop.post('/v1/loyalty/programs', { name: 'Owed', ...settings })).body
    .id as string
  const account = (await shop.post('/v1/loyalty/accounts', { program })).body.id as string
  const post = (amount: number, at: Date, more: object = {}) =>
    shop.commands.postTransaction({
      workspace: shop.workspace,
      account,
      type: 'adjust',
      amount,
      reason: 'x',
      operation: newId('op'),
      fingerprint: '',
      at: at.toISOString(),
      expiresAt: null,
      batch: null,
      source: null,
      metadata: {},
      allowNegative: true,
      ...more,
    })
  return { program, account, post }
}

/** Ten seconds are no test's time to wait: a new note, as old as that. */
async function noteNow() {
  await shop.owner.query('update ledger_rollup set noted_at = null, noted_xid = null')
  await ledgerRollUp(shop.pool, {})
  await shop.owner.query(`update ledger_rollup set noted_at = noted_at + interval '10 seconds'`)
}

/**
 * Counts what was written until now. That waits for every transaction of the server that was under
 * way then, those of other tests' databases among them.
 */
async function countEverything() {
  const { rows } = await shop.owner.query('select clock_timestamp()::text as now')
  await noteNow()
  await expect.poll(() => countedTo(rows[0].now), { timeout: 60_000 }).toBe(true)
}

async function countedTo(instant: string): Promise<boolean> {
  await ledgerRollUp(shop.pool, {})
  const { rows } = await shop.owner.query(
    'select through >= $1::timestamptz as yes from ledger_rollup',
    [instant],
  )
  return rows[0].yes
}

const identity = (r: Record<string, number>) =>
  expect(
    (r.earned ?? 0) - (r.spent ?? 0) - (r.expired ?? 0) - (r.clawedBack ?? 0) + (r.adjusted ?? 0),
  ).toBe(r.outstandingPoints)

describe('liability', () => {
  it('is the snippet’s: total balance times the point’s value', async () => {
    const body = await report()
    const { rows } = await shop.owner.query(
      `select sum(balance)::int as sum from account where program = 'prog_default'`,
    )
    expect(body).toMatchObject({
      outstandingPoints: rows[0].sum,
      pointValue: 1,
      liabilityMinor: rows[0].sum,
      currency: 'EUR',
    })
    expect(Date.now() - Date.parse(body.asOf)).toBeLessThan(10_000)
    identity(body)
  })

  it('has each type in its part, a reversal in that of what it reverses, and the identity holds exactly', async () => {
    const { program, account, post } = await ledger()
    const now = new Date()
    const earned = await post(1_000, now, { type: 'earn' })
    const adjusted = await post(500, now)
    await post(-100, now, { type: 'clawback' })
    await post(40, now, { expiresAt: new Date(Date.now() + 1_000).toISOString() })
    const reward = await shop.post('/v1/loyalty/rewards', {
      program,
      name: 'r',
      type: 'discount_amount',
      cost: 200,
      value: { amount: 200, currency: 'EUR' },
    })
    const redeem = () => shop.post('/v1/loyalty/redemptions', { account, reward: reward.body.id })
    await redeem()
    const released = await redeem()
    await shop.post(`/v1/loyalty/redemptions/${released.body.id}/cancel`)
    const undo = (id: unknown) => shop.post(`/v1/loyalty/transactions/${id}/reverse`)
    await undo(adjusted.transaction?.id)
    await expect.poll(async () => (await report(program)).expired, { timeout: 20_000 }).toBe(40)
    const body = await report(program)
    expect(body).toMatchObject({
      earned: 1_000,
      spent: 200,
      expired: 40,
      clawedBack: 100,
      adjusted: 40,
      outstandingPoints: 700,
    })
    identity(body)
    await undo(earned.transaction?.id)
    expect(await report(program)).toMatchObject({ earned: 0, outstandingPoints: -300 })
    await countEverything()
    const counted = await report(program)
    expect(counted).toMatchObject({
      earned: 0,
      spent: 200,
      expired: 40,
      clawedBack: 100,
      adjusted: 40,
      outstandingPoints: -300,
    })
    expect(await shop.reconcile()).toEqual([])
  })

  it('counts lots past their date as expired before anybody has written them off', async () => {
    const { program, account, post } = await ledger()
    await post(70, new Date(), { expiresAt: new Date(Date.now() + DAY_MS).toISOString() })
    const past = new Date(Date.now() - 60_000)
    await shop.owner.query('update lot set expires_at = $2 where account = $1', [account, past])
    await shop.owner.query(
      'update account set lots_due_from = $2, expiry_wake_at = $2 where id = $1',
      [account, past],
    )
    expect(await report(program)).toMatchObject({ outstandingPoints: 0, expired: 70, adjusted: 70 })
    await countEverything()
    expect(await report(program)).toMatchObject({ outstandingPoints: 0, expired: 70, adjusted: 70 })
  })

  it('uses the value in force at the instant asked for, rounded up', async () => {
    const { program, post } = await ledger({ currency: { pointValue: 0.5, decimals: 1 } })
    await post(33, new Date()) // 3.3 points
    const before = new Date()
    expect(await report(program)).toMatchObject({
      outstandingPoints: 3.3,
      pointValue: 0.5,
      liabilityMinor: 2,
    })
    await shop.patch(`/v1/loyalty/programs/${program}`, {
      currency: { pointValue: 2, code: 'usd' },
    })
    expect(await report(program)).toMatchObject({
      pointValue: 2,
      liabilityMinor: 7,
      currency: 'USD',
    })
    expect(await report(program, before)).toMatchObject({
      pointValue: 0.5,
      liabilityMinor: 2,
      currency: 'EUR',
    })
  })

  it('estimates breakage from a year’s expired and spent points, and says how', async () => {
    const { program, post } = await ledger()
    const days = (n: number) => new Date(Date.now() - n * DAY_MS)
    await post(1_000, days(40))
    await post(25, days(39), { expiresAt: days(20).toISOString() })
    await post(0 - 1, days(10), { type: 'clawback' }) // writes off what was due
    expect((await report(program)).breakage).toBeUndefined() // of whole days in the totals alone
    await countEverything()
    expect((await report(program)).breakage).toEqual({
      method: 'expired_share_365d',
      rate: 1,
      liabilityMinor: 0,
    })
  })

  it('at any past instant is what the rows until then add up to, counted in totals or not', async () => {
    const { program, account, post } = await ledger()
    const start = Date.now() - 5 * DAY_MS
    const moves = fc.sample(
      fc.tuple(fc.integer({ min: -50, max: 100 }), fc.nat(5 * DAY_MS - 60_000)),
      60,
    )
    for (const [index, [amount, offset]] of moves.entries()) {
      if (amount !== 0)
        await post(amount, new Date(start + offset), { type: amount < 0 ? 'clawback' : 'earn' })
      if (index === 40) await countEverything()
    }
    for (const offset of fc.sample(fc.nat(5 * DAY_MS), 25)) {
      const at = new Date(start + offset)
      const { rows } = await shop.owner.query(
        'select coalesce(sum(amount), 0)::int as sum from ptx where account = $1 and at <= $2',
        [account, at],
      )
      const body = await report(program, at)
      expect(body.outstandingPoints).toBe(rows[0].sum)
      identity(body)
    }
  })

  it('refuses a future instant, nonsense, and another program', async () => {
    const get = async (query: string) =>
      (await shop.get(`/v1/loyalty/programs/prog_default/liability?${query}`)).body.error
    expect(await get(`at=${new Date(Date.now() + DAY_MS).toISOString()}`)).toMatchObject({
      code: 'parameter_invalid',
      param: 'at',
    })
    expect(await get('at=soon')).toMatchObject({ code: 'parameter_invalid', param: 'at' })
    expect((await shop.get('/v1/loyalty/programs/prog_none/liability')).status).toBe(404)
  })
})

describe('the export', () => {
  it('has opening, movements and closing of each period, and each closing is the next one’s opening', async () => {
    const { program, post } = await ledger()
    await post(100, new Date('2026-01-10T12:00:00Z'), { type: 'earn' })
    await post(-30, new Date('2026-01-31T23:59:59Z'), { type: 'clawback' })
    await post(50, new Date('2026-03-01T00:00:00Z'))
    const path = `/v1/loyalty/programs/${program}/liability/export?from=2026-01-01&to=2026-05-01`
    const answer = await shop.get(path)
    expect(answer.headers['content-type']).toMatch(/^text\/csv/)
    const expected = [
      'period,opening,earned,spent,expired,clawed_back,adjusted,closing,point_value,currency,liability_minor',
      '2026-01-01,0,100,0,0,30,0,70,1,EUR,70',
      '2026-02-01,70,0,0,0,0,0,70,1,EUR,70',
      '2026-03-01,70,0,0,0,0,50,120,1,EUR,120',
      '2026-04-01,120,0,0,0,0,0,120,1,EUR,120',
    ]
    expect(answer.text.trim().split('\r\n')).toEqual(expected)
    await countEverything()
    expect((await shop.get(path)).text).toBe(answer.text)
    const days = await shop.get(
      `/v1/loyalty/programs/${program}/liability/export?from=2026-01-10&to=2026-01-12&period=day`,
    )
    expect(days.text.trim().split('\r\n').slice(1)).toEqual([
      '2026-01-10,0,100,0,0,0,0,100,1,EUR,100',
      '2026-01-11,100,0,0,0,0,0,100,1,EUR,100',
    ])
  })

  it.each([
    ['from=2026-02-01&to=2026-01-01', 'to'],
    ['from=2026-01-15&to=2026-03-01', 'from'],
    ['from=1990-01-01&to=2026-01-01', 'to'],
    ['from=x&to=2026-01-01', 'from'],
    ['from=2026-01-01&to=2026-02-01&period=year', 'period'],
  ])('refuses %s', async (query, param) => {
    const { body } = await shop.get(`/v1/loyalty/programs/prog_default/liability/export?${query}`)
    expect(body.error).toMatchObject({ code: 'parameter_invalid', param })
  })
})

describe('the totals', () => {
  it('count each row once, however many roll-ups run at once', async () => {
    const { program, post } = await ledger()
    await post(10, new Date())
    await noteNow()
    await Promise.all(Array.from({ length: 5 }, () => ledgerRollUp(shop.pool, {})))
    await countEverything()
    expect(await report(program)).toMatchObject({ outstandingPoints: 10 })
    expect(await shop.reconcile()).toEqual([])
  })

  it('wait for a transaction that is still under way', async () => {
    const { program, account } = await ledger()
    const client = await shop.owner.connect()
    await client.query('begin')
    await client.query(
      `select ledger.points_post($1, $2, 'adjust', 5, 'x', $3, '', clock_timestamp(), null, null, null, '{}', false)`,
      [shop.workspace, account, newId('op')],
    )
    await noteNow()
    await ledgerRollUp(shop.pool, {})
    await client.query('commit')
    client.release()
    expect(await report(program)).toMatchObject({ outstandingPoints: 5 })
    await countEverything()
    expect(await report(program)).toMatchObject({ outstandingPoints: 5 })
    expect(await shop.reconcile()).toEqual([])
  })
})

it('the daily snapshot is one event for each program and day', async () => {
  const take = (id: string) =>
    shop.engine.client.workflow.execute(WORKFLOW.liabilitySnapshot, {
      workflowId: id,
      taskQueue: shop.engine.taskQueue,
      args: [],
    })
  const { snapshots } = await take(newId('run'))
  expect(snapshots).toBeGreaterThan(1)
  expect(await take(newId('run'))).toEqual({ snapshots: 0 })
  const { rows } = await shop.owner.query(
    `select data from event where type = 'program.liability.snapshot' and object = 'prog_default'`,
  )
  expect(rows).toHaveLength(1)
  expect(rows[0].data).toMatchObject({ currency: 'EUR', point_value: 1 })
  expect(new Date(rows[0].data.as_of).toISOString()).toMatch(/T00:00:00.000Z$/)
})

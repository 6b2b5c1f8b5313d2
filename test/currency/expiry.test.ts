import { MockActivityEnvironment } from '@temporalio/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expiryActivities } from '../../activities/expiry.ts'
import { accountExpire, accountsExpire } from '../../db/ledger.gen.ts'
import { expirySpreadMs } from '../../domain/expiry.ts'
import type { Failure } from '../../domain/failure.ts'
import { newId } from '../../domain/ids.ts'
import { accountExpiryWorkflowId, WORKFLOW } from '../../temporal/names.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { signalsAndTasks, startedRun } from '../support/run.ts'

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

const program = async (expiry: object, more: object = {}) =>
  (await shop.post('/v1/loyalty/programs', { name: 'Expiring', expiry, ...more })).body.id as string
const member = async (inProgram = 'prog_default') =>
  (await shop.post('/v1/loyalty/accounts', { program: inProgram })).body.id as string
const credit = async (account: string, amount: number, expiresAt?: Date) => {
  const body = {
    account,
    amount,
    reason: 'x',
    ...(expiresAt && { expires_at: expiresAt.toISOString() }),
  }
  return (await shop.post('/v1/loyalty/transactions', body)).body
}
const accountOf = async (account: string) =>
  (await shop.get(`/v1/loyalty/accounts/${account}`)).body
const run = (account: string) =>
  shop.engine.client.workflow.getHandle(accountExpiryWorkflowId(shop.workspace, account))
const started = (account: string) =>
  startedRun(shop.engine, accountExpiryWorkflowId(shop.workspace, account))
const check = (account: string, at: Date) =>
  accountExpire(shop.pool, { workspace: shop.workspace, account, at: at })
const eventsOf = async (account: string, type: string) =>
  (
    await shop.owner.query(
      `select e.data, e.object from event e where e.type = $2 and (e.object = $1 or e.object in (select id from ptx where account = $1)) order by e.id`,
      [account, type],
    )
  ).rows
const transaction = async (id: string) => (await shop.get(`/v1/loyalty/transactions/${id}`)).body
const expireRows = async (account: string) =>
  (await shop.get(`/v1/loyalty/transactions?account=${account}&type=expire`)).body.data

describe('a credit shows when it expires', () => {
  it.each([
    ['rolling', { mode: 'rolling', months: 6 }],
    ['fixed', { mode: 'fixed', fixedDate: '12-31' }],
  ])('in a program with %s expiry, wherever it is shown', async (_mode, expiry) => {
    const account = await member(await program(expiry))
    const posted = await credit(account, 80)
    const [{ expires_at: due }] = (await accountOf(account)).expiring_points
    expect(posted.expires_at).toBe(due)
    expect((await transaction(posted.id)).expires_at).toBe(due)
    const list = await shop.get(`/v1/loyalty/transactions?account=${account}`)
    expect(list.body.data[0].expires_at).toBe(due)
    const batch = await shop.post('/v1/loyalty/transactions/batch', {
      transactions: [{ account, amount: 5, reason: 'x' }],
    })
    expect(batch.body.data[0].expires_at).toBe(due)
    const [{ id }] = (await shop.get('/v1/events?type=loyalty.points.earned&limit=1')).body.data
    expect((await shop.get(`/v1/events/${id}`)).body.data.expires_at).toBe(due)
    const spent = await credit(account, -85)
    expect((await transaction(spent.id)).expires_at).toBeUndefined()
    expect((await transaction(posted.id)).expires_at).toBe(due)
  })

  it('not where its points never do, and an explicit date stays as it was given', async () => {
    const never = await member(await program({ mode: 'never' }))
    expect((await credit(never, 5)).expires_at).toBeUndefined()
    const rolling = await member(await program({ mode: 'rolling', months: 6 }))
    const due = new Date(Date.now() + 3 * DAY_MS)
    const { id } = await credit(rolling, 5, due)
    expect((await transaction(id)).expires_at).toBe(due.toISOString())
  })

  it('as it is now: later after an activity that extends it, and known of credits from before', async () => {
    const inProgram = await program({ mode: 'rolling', months: 6, resetOnActivity: true })
    const account = await member(inProgram)
    const posted = await credit(account, 80)
    await shop.owner.query(
      `update lot set expires_at = expires_at - interval '60 days' where id = $1`,
      [posted.id],
    )
    await shop.commands.postTransaction({
      workspace: shop.workspace,
      account,
      type: 'earn',
      amount: 5,
      reason: 'x',
      operation: newId('op'),
      fingerprint: 'f',
      at: new Date().toISOString(),
      expiresAt: null,
      batch: null,
      source: null,
      metadata: {},
      allowNegative: false,
    })
    const [{ expires_at: due }] = (await accountOf(account)).expiring_points
    expect((await transaction(posted.id)).expires_at).toBe(due)
  })
})

describe('an account’s run', () => {
  it('is started by the first points with a date, shows that date, and expires them within seconds of it', async () => {
    const account = await member()
    const due = new Date(Date.now() + 2_000)
    await credit(account, 80, due)
    await credit(account, 20)
    const described = await (await started(account)).describe()
    expect(described.status.name).toBe('RUNNING')
    expect(described.type).toBe(WORKFLOW.accountExpiry)
    expect((await accountOf(account)).expiring_points).toEqual([
      { points: 80, expires_at: due.toISOString() },
    ])
    await (await started(account)).result()
    const [row] = await expireRows(account)
    expect(row).toMatchObject({ amount: -80, reason: 'expiry', balance_after: 20 })
    expect(await accountOf(account)).toMatchObject({ balance: 20, expiring_points: [] })
    expect(await eventsOf(account, 'loyalty.points.expired')).toEqual([
      { data: null, object: row.id },
    ])
  })

  it('is signalled an earlier date, not a later one, and sleeps to the next', async () => {
    const account = await member()
    const far = new Date(Date.now() + 10 * DAY_MS)
    await credit(account, 1, far)
    await credit(account, 2, new Date(far.getTime() + DAY_MS))
    expect(await signalsAndTasks(await started(account))).toEqual({ signals: 1, tasks: 0 })
    await credit(account, 4, new Date(Date.now() + 1_500))
    await expect.poll(async () => (await accountOf(account)).balance, { timeout: 20_000 }).toBe(3)
    await expect.poll(async () => (await expireRows(account)).length, { timeout: 20_000 }).toBe(1)
    expect((await run(account).describe()).status.name).toBe('RUNNING')
  })

  it('is not there for an account whose points never expire', async () => {
    const account = await member()
    await credit(account, 5)
    const outboxRow = 'select from workflow_outbox where workflow_id = $1'
    const id = accountExpiryWorkflowId(shop.workspace, account)
    expect((await shop.owner.query(outboxRow, [id])).rowCount).toBe(0)
    await expect(run(account).describe()).rejects.toThrow()
  })

  it('warns once for each date, so many days before, with how much and when', async () => {
    const inProgram = await program({ mode: 'never', warnDaysBefore: 30 })
    const account = await member(inProgram)
    const due = new Date(Date.now() + 10 * DAY_MS)
    const later = new Date(Date.now() + 100 * DAY_MS)
    await credit(account, 300, due)
    await credit(account, 7, later)
    await expect
      .poll(async () => (await eventsOf(account, 'loyalty.points.expiring')).length, {
        timeout: 20_000,
      })
      .toBe(1)
    const [warning] = await eventsOf(account, 'loyalty.points.expiring')
    expect(warning.data).toMatchObject({ account, program: inProgram, points: 300 })
    expect(new Date(warning.data.expires_at)).toEqual(due)
    await credit(account, 5, due)
    await check(account, new Date(Date.now() + DAY_MS))
    expect(await eventsOf(account, 'loyalty.points.expiring')).toHaveLength(1)
    // day 70: the next date's warning
    const { next_check_at } = await check(account, new Date(Date.now() + DAY_MS))
    expect(new Date(next_check_at ?? '')).toEqual(due)
    await check(account, new Date(later.getTime() - 30 * DAY_MS))
    const warnings = await eventsOf(account, 'loyalty.points.expiring')
    expect(warnings.map(({ data }) => data.points)).toEqual([300, 7])
  })

  it('begins anew for points that a release gave back inside their last days', async () => {
    const account = await member()
    const due = new Date(Date.now() + 4_000)
    await credit(account, 500, due)
    const redemption = await shop.post('/v1/loyalty/redemptions', {
      account,
      reward: 'rwd_fivecredit',
    })
    await (await started(account)).result() // held points do not expire
    expect(await expireRows(account)).toEqual([])
    await shop.post(`/v1/loyalty/redemptions/${redemption.body.id}/cancel`)
    const [row] = await expireRows(account) // past their date: gone in the same transaction
    expect(row).toMatchObject({ amount: -500, balance_after: 0 })
  })

  it('of a program that extends on return gives released points their days of grace, and a run', async () => {
    const inProgram = await program(
      { mode: 'never' },
      { redemption: { expiredReturn: 'extend', graceDays: 3 } },
    )
    const account = await member(inProgram)
    const reward = await shop.post('/v1/loyalty/rewards', {
      program: inProgram,
      name: 'r',
      type: 'discount_amount',
      cost: 50,
      value: { amount: 50, currency: 'EUR' },
    })
    await credit(account, 50, new Date(Date.now() + 1_500))
    const redemption = await shop.post('/v1/loyalty/redemptions', {
      account,
      reward: reward.body.id,
    })
    await (await started(account)).result()
    await shop.post(`/v1/loyalty/redemptions/${redemption.body.id}/cancel`)
    const { balance, expiring_points } = await accountOf(account)
    expect(balance).toBe(50)
    expect(Date.parse(expiring_points[0].expires_at)).toBeGreaterThan(Date.now() + 2.9 * DAY_MS)
    await expect
      .poll(async () => (await run(account).describe()).status.name, { timeout: 20_000 })
      .toBe('RUNNING')
  })
})

describe('a policy', () => {
  it('applies from its change on: lots keep the date they were earned with', async () => {
    const inProgram = await program({ mode: 'rolling', months: 12 })
    const account = await member(inProgram)
    await credit(account, 1)
    await shop.patch(`/v1/loyalty/programs/${inProgram}`, { expiry: { months: 1 } })
    await credit(account, 2)
    await shop.patch(`/v1/loyalty/programs/${inProgram}`, { expiry: { mode: 'never' } })
    await credit(account, 4)
    const { expiring_points } = await accountOf(account)
    expect(expiring_points.map(({ points }: { points: number }) => points)).toEqual([2, 1])
    expect((await accountOf(account)).balance).toBe(7)
  })

  it('rolling expires first in, first out: what was spent came from the oldest', async () => {
    const account = await member()
    await credit(account, 100, new Date(Date.now() + DAY_MS))
    await credit(account, 50, new Date(Date.now() + 2 * DAY_MS))
    await shop.post('/v1/loyalty/transactions', { account, amount: -120, reason: 'spent' })
    const { expired } = await check(account, new Date(Date.now() + 1.5 * DAY_MS))
    expect(expired).toBe(0)
    expect((await check(account, new Date(Date.now() + 3 * DAY_MS))).expired).toBe(30)
  })

  it('with resetOnActivity: a redemption extends the whole balance, even one brought by adjustments alone', async () => {
    const inProgram = await program({ mode: 'rolling', months: 1, resetOnActivity: true })
    const account = await member(inProgram)
    const monthAgo = new Date(Date.now() - 20 * DAY_MS).toISOString()
    await shop.commands.postTransaction({
      workspace: shop.workspace,
      account,
      type: 'adjust',
      amount: 100,
      reason: 'x',
      operation: newId('op'),
      fingerprint: '',
      at: monthAgo,
      expiresAt: null,
      batch: null,
      source: null,
      metadata: {},
      allowNegative: false,
    })
    const before = Date.parse((await accountOf(account)).expiring_points[0].expires_at)
    const reward = await shop.post('/v1/loyalty/rewards', {
      program: inProgram,
      name: 'r',
      type: 'discount_amount',
      cost: 10,
      value: { amount: 10, currency: 'EUR' },
    })
    await shop.post('/v1/loyalty/redemptions', { account, reward: reward.body.id })
    const after = Date.parse((await accountOf(account)).expiring_points[0].expires_at)
    expect(after - before).toBeGreaterThan(15 * DAY_MS)
    await credit(account, 5) // an adjustment is no activity
    expect((await check(account, new Date(before))).expired).toBe(0)
    expect((await check(account, new Date(after))).expired).toBeGreaterThan(0)
  })

  const nextCheckOf = async (account: string): Promise<number> =>
    (
      await shop.owner.query('select expiry_wake_at from account where id = $1', [account])
    ).rows[0].expiry_wake_at.getTime()

  it('that begins to warn has accounts checked earlier', async () => {
    const inProgram = await program({ mode: 'rolling', months: 12 })
    const account = await member(inProgram)
    await credit(account, 1)
    const before = await nextCheckOf(account)
    await shop.patch(`/v1/loyalty/programs/${inProgram}`, { expiry: { warnDaysBefore: 30 } })
    expect(before - (await nextCheckOf(account))).toBe(30 * DAY_MS)
  })

  it('that begins to warn earlier does so where points spent before their date would be past it', async () => {
    const inProgram = await program({ mode: 'never', warnDaysBefore: 7 })
    const account = await member(inProgram)
    const inDays = (days: number) => new Date(Date.now() + days * DAY_MS)
    await credit(account, 5, inDays(8))
    await credit(account, 3, inDays(60))
    await credit(account, -5)
    await check(account, inDays(2)) // nothing is left to warn of
    const at = inDays(40) // nobody had to check since
    await shop.commands.updateProgram(
      { workspace: shop.workspace, route: 'test', key: null, fingerprint: 'f' },
      inProgram,
      () => ({ expiryWarnDaysBefore: 30 }),
      at,
    )
    expect(await nextCheckOf(account)).toBeLessThanOrEqual(at.getTime())
    await check(account, at)
    expect(await eventsOf(account, 'loyalty.points.expiring')).toMatchObject([
      { data: { points: 3 } },
    ])
  })

  it('that moves to another zone warns by the days of that one', async () => {
    const inProgram = await program({ mode: 'never', warnDaysBefore: 7 })
    const account = await member(inProgram)
    // the clocks of Berlin go back on the last Sunday of October: a week ago there was an hour more ago
    const due = lastSundayOfOctober(new Date().getUTCFullYear() + 1) + 2 * DAY_MS
    await credit(account, 1, new Date(due))
    expect(await nextCheckOf(account)).toBe(due - 7 * DAY_MS)
    await shop.patch(`/v1/loyalty/programs/${inProgram}`, { expiry: { timeZone: 'Europe/Berlin' } })
    expect(await nextCheckOf(account)).toBe(due - 7 * DAY_MS - 3_600_000)
  })
})

function lastSundayOfOctober(year: number): number {
  const last = new Date(Date.UTC(year, 9, 31))
  return last.getTime() - last.getUTCDay() * DAY_MS
}

describe('a date that many accounts share', () => {
  it('is worked off by the batch, and their runs check spread over the hours after', async () => {
    const accounts = await Promise.all(Array.from({ length: 5 }, () => member()))
    for (const account of accounts) await credit(account, 10, new Date(Date.now() + DAY_MS))
    await shop.owner.query(
      `update lot set expires_at = date_trunc('day', now()) where account = any ($1)`,
      [accounts],
    )
    await shop.owner.query(
      `update account set lots_due_from = date_trunc('day', now()), expiry_wake_at = date_trunc('day', now()) where id = any ($1)`,
      [accounts],
    )
    const { accounts: checked } = await shop.engine.client.workflow.execute(WORKFLOW.expiryBatch, {
      workflowId: newId('run'),
      taskQueue: shop.engine.taskQueue,
      args: [],
    })
    expect(checked).toBe(5)
    for (const account of accounts) expect(await expireRows(account)).toHaveLength(1)
    const spread = accounts.map(expirySpreadMs)
    expect(new Set(spread).size).toBe(5)
    expect(Math.max(...spread)).toBeLessThan(4 * 3_600_000)
  })

  it('takes each account’s dates one by one, warns of what comes next, and delivers all to the endpoints', async () => {
    const inProgram = await program({ mode: 'never', warnDaysBefore: 30 })
    const accounts = await Promise.all([member(inProgram), member(inProgram)])
    const { body: endpoint } = await shop.post('/v1/webhook_endpoints', {
      url: 'https://example.com/hooks',
      enabled_events: ['loyalty.points.expired', 'loyalty.points.expiring'],
    })
    for (const account of accounts)
      for (const days of [50, 51, 80, 200])
        await credit(account, days, new Date(Date.now() + days * DAY_MS))
    const at = new Date(Date.now() + 60 * DAY_MS).toISOString()
    expect(await accountsExpire(shop.pool, { workspace: shop.workspace, accounts, at })).toBe(2)
    for (const account of accounts) {
      const rows = await expireRows(account)
      expect(rows.map((row: { amount: number }) => row.amount)).toEqual([-51, -50])
      expect(rows.map((row: { balance_after: number }) => row.balance_after)).toEqual([280, 331])
      const [warning, ...more] = await eventsOf(account, 'loyalty.points.expiring')
      expect([warning.data.points, more]).toEqual([80, []])
    }
    const { rows: deliveries } = await shop.owner.query(
      `select e.type, count(*)::int as n from webhook_delivery d join event e on e.id = d.event
       where d.endpoint = $1 group by 1 order by 1`,
      [endpoint.id],
    )
    expect(deliveries).toEqual([
      { type: 'loyalty.points.expired', n: 4 },
      { type: 'loyalty.points.expiring', n: 2 },
    ])
    expect(await accountsExpire(shop.pool, { workspace: shop.workspace, accounts, at })).toBe(2)
    for (const account of accounts) expect(await expireRows(account)).toHaveLength(2)
  })

  it('leaves a member whom somebody else is writing for the next turn, and waits for nobody', async () => {
    const [busy, idle] = await Promise.all([member(), member()])
    for (const account of [busy, idle]) await credit(account, 10, new Date(Date.now() + DAY_MS))
    const at = new Date(Date.now() + 2 * DAY_MS).toISOString()
    const writing = await shop.owner.connect()
    try {
      await writing.query('begin')
      await writing.query('select ledger_private.account_locked($1, $2)', [shop.workspace, busy])
      expect(
        await accountsExpire(shop.pool, { workspace: shop.workspace, accounts: [busy, idle], at }),
      ).toBe(1)
      expect([await expireRows(busy), await expireRows(idle)].map((x) => x.length)).toEqual([0, 1])
    } finally {
      await writing.query('rollback')
      writing.release()
    }
    expect(
      await accountsExpire(shop.pool, { workspace: shop.workspace, accounts: [busy, idle], at }),
    ).toBe(2)
    expect(await expireRows(busy)).toHaveLength(1)
  })

  it('is written off for the others where one member’s rows cannot be written', async () => {
    const [broken, sound] = await Promise.all([member(), member()])
    const due = new Date(Date.now() + DAY_MS)
    for (const account of [broken, sound]) await credit(account, 10, due)
    await shop.owner.query(
      "update lot set expires_at = now() - interval '1 minute' where account = any ($1)",
      [[broken, sound]],
    )
    await shop.owner.query(
      `update account set lots_due_from = now() - interval '1 minute', expiry_wake_at = now() - interval '1 minute'
       where id = any ($1)`,
      [[broken, sound]],
    )
    await shop.owner.query(`
      create function test_fails() returns trigger language plpgsql as $$ begin raise exception 'not this one'; end $$;
      create trigger fails before insert on ptx for each row when (new.account = '${broken}') execute function test_fails()`)
    const failures: Failure[] = []
    const { expireDue } = expiryActivities({
      pool: shop.pool,
      onFailure: (failure) => void failures.push(failure),
    })
    const batch = new MockActivityEnvironment()
    try {
      await batch.run(expireDue, { before: new Date().toISOString() })
      expect(failures).toMatchObject([
        { kind: 'expiry', about: { account: broken }, error: { message: 'not this one' } },
      ])
    } finally {
      await shop.owner.query('drop trigger fails on ptx; drop function test_fails')
    }
    expect([await expireRows(broken), await expireRows(sound)].map((x) => x.length)).toEqual([0, 1])
    expect((await check(broken, new Date())).expired).toBe(10)
  })

  it('is never spendable, however late anybody checks', async () => {
    const account = await member()
    await credit(account, 500, new Date(Date.now() + DAY_MS))
    const past = new Date(Date.now() - 3_600_000)
    await shop.owner.query('update lot set expires_at = $2 where account = $1', [account, past])
    await shop.owner.query(
      'update account set lots_due_from = $2, expiry_wake_at = $2 where id = $1',
      [account, past],
    )
    const { status, body } = await shop.post('/v1/loyalty/redemptions', {
      account,
      reward: 'rwd_fivecredit',
    })
    expect([status, body.error.code]).toEqual([422, 'insufficient_points'])
    expect((await accountOf(account)).balance).toBe(0)
  })
})

it('the reconciler finds an account whose run was lost, two minutes past its date', async () => {
  const account = await member()
  await credit(account, 9, new Date(Date.now() + DAY_MS))
  await (await started(account)).terminate()
  const past = new Date(Date.now() - 180_000)
  await shop.owner.query('update lot set expires_at = $2 where account = $1', [account, past])
  await shop.owner.query(
    'update account set lots_due_from = $2, expiry_wake_at = $2 where id = $1',
    [account, past],
  )
  const sweep = () =>
    shop.engine.client.workflow.execute(WORKFLOW.reconciler, {
      workflowId: newId('run'),
      taskQueue: shop.engine.taskQueue,
      args: [],
    })
  expect((await sweep()).expiries).toBeGreaterThanOrEqual(1)
  expect(await expireRows(account)).toHaveLength(1)
  expect((await sweep()).expiries).toBe(0)
})

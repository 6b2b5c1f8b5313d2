import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop

beforeAll(async () => {
  shop = await openShop({ worker: false })
})
afterAll(async () => {
  const broken = await shop.reconcile()
  await shop.close()
  expect(broken).toEqual([])
})

const PTX = '/v1/loyalty/transactions'
const post = (body: object, idempotencyKey?: string) => shop.post(PTX, body, { idempotencyKey })
const member = async () => (await shop.post('/v1/loyalty/accounts')).body.id as string
const credit = async (account: string, amount: number) =>
  (await post({ account, amount, reason: 'goodwill_credit' })).body
const balance = async (account: string) =>
  (await shop.get(`/v1/loyalty/accounts/${account}`)).body.balance
const reverse = (id: string, idempotencyKey?: string) =>
  shop.post(`${PTX}/${id}/reverse`, {}, { idempotencyKey })
const eventsOf = async (object: string) =>
  (await shop.owner.query('select type from event where object = $1', [object])).rows.map(
    ({ type }) => type,
  )

describe('the documents’ snippets', () => {
  it('award and deduct points, each with its event', async () => {
    const award = await post({
      account: 'loy_abc123',
      amount: 500,
      reason: 'goodwill_credit',
      metadata: { ticket: 'ZD-4821' },
    })
    expect([award.status, award.body.amount]).toEqual([201, 500])
    expect(award.body).toMatchObject({
      type: 'adjust',
      reason: 'goodwill_credit',
      metadata: { ticket: 'ZD-4821' },
    })
    const debit = await post({ account: 'loy_abc123', amount: -200, reason: 'manual_correction' })
    expect(debit.body).toMatchObject({
      amount: -200,
      balance_after: award.body.balance_after - 200,
    })
    expect(await eventsOf(award.body.id)).toEqual(['loyalty.points.earned'])
    expect(await eventsOf(debit.body.id)).toEqual(['loyalty.points.spent'])
  })

  it('tag a migration by metadata.batch, and find it by that', async () => {
    const { body } = await post({
      account: 'loy_abc123',
      amount: 1500,
      reason: 'migration_opening_balance',
      metadata: { batch: 'legacy_import_2026q2' },
    })
    expect(body.batch).toBe('legacy_import_2026q2')
    const found = await shop.get(`${PTX}?batch=legacy_import_2026q2`)
    expect(found.body.data).toEqual([body])
  })
})

describe('a reversal', () => {
  it('offsets a credit by a row of its own, and leaves the first as it was', async () => {
    const account = await member()
    const award = await credit(account, 500)
    const { status, body } = await reverse(award.id)
    expect(status).toBe(201)
    expect(body).toMatchObject({
      type: 'reverse',
      amount: -500,
      balance_after: 0,
      reverses: award.id,
    })
    expect(await eventsOf(body.id)).toEqual(['loyalty.points.reversed'])
    expect((await shop.get(`${PTX}/${award.id}`)).body).toEqual(award)
    expect((await shop.get(`/v1/loyalty/accounts/${account}`)).body).toMatchObject({
      balance: 0,
      lifetime_points: 500,
    })
  })

  it('gives a debit back to the lots it came from', async () => {
    const account = await member()
    await credit(account, 300)
    const debit = (await post({ account, amount: -120, reason: 'oops' })).body
    const { body } = await reverse(debit.id)
    expect(body).toMatchObject({ type: 'reverse', amount: 120, balance_after: 300 })
    const { rows } = await shop.owner.query('select remaining from lot where account = $1', [
      account,
    ])
    expect(rows).toEqual([{ remaining: 300 }])
  })

  it('happens once: a repeat with the key answers the same, without it is refused', async () => {
    const award = await credit(await member(), 500)
    const first = await reverse(award.id, 'undo')
    const again = await reverse(award.id, 'undo')
    expect([first.status, again.status, again.headers['idempotent-replayed']]).toEqual([
      201,
      200,
      'true',
    ])
    expect(again.body).toEqual(first.body)
    const other = await reverse(award.id)
    expect([other.status, other.body.error.code]).toEqual([422, 'not_reversible'])
  })

  it('asked for ten times at once writes one row', async () => {
    const account = await member()
    const award = await credit(account, 500)
    const answers = await Promise.all(Array.from({ length: 10 }, () => reverse(award.id)))
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
      201,
      ...Array(9).fill(422),
    ])
    expect(await balance(account)).toBe(0)
  })

  it('is refused for a redemption’s rows and for a reversal', async () => {
    const redemption = await shop.post('/v1/loyalty/redemptions', {
      account: 'loy_9f2k',
      reward: 'rwd_fivecredit',
    })
    const ofRedemption = await reverse(redemption.body.transaction)
    expect([ofRedemption.status, ofRedemption.body.error.code]).toEqual([422, 'not_reversible'])
    const award = await credit(await member(), 5)
    const undone = await reverse(award.id)
    expect((await reverse(undone.body.id)).body.error.code).toBe('not_reversible')
    expect((await reverse('ptx_nothing')).status).toBe(404)
  })

  it('of points spent already goes below zero, where the program lets a clawback do that', async () => {
    const account = await member()
    const award = await credit(account, 500)
    await post({ account, amount: -400, reason: 'spent' })
    expect((await reverse(award.id)).body).toMatchObject({ amount: -500, balance_after: -400 })
    await credit(account, 1_000)
    expect(await balance(account)).toBe(600)
  })

  it('of points spent already is refused where it does not', async () => {
    const program = await shop.post('/v1/loyalty/programs', {
      name: 'Strict',
      clawback: { allow_negative: false },
    })
    const account = (await shop.post('/v1/loyalty/accounts', { program: program.body.id })).body.id
    const award = await credit(account, 500)
    await post({ account, amount: -400, reason: 'spent' })
    const { status, body } = await reverse(award.id)
    expect(status).toBe(422)
    expect(body.error).toMatchObject({
      code: 'insufficient_points',
      required: 500,
      available: 100,
      missing: 400,
    })
    expect(await balance(account)).toBe(100)
  })

  it('takes from the credit’s own lot first', async () => {
    const account = await member()
    const older = await credit(account, 100)
    const newer = await credit(account, 50)
    await reverse(newer.id)
    const { rows } = await shop.owner.query(
      'select id, remaining from lot where account = $1 order by id',
      [account],
    )
    expect(rows).toEqual([
      { id: older.id, remaining: 100 },
      { id: newer.id, remaining: 0 },
    ])
  })
})

describe('rounding', () => {
  it.each<['down' | 'nearest' | 'up', number, number]>([
    ['down', 10.129, 10.12],
    ['nearest', 10.125, 10.13],
    ['up', 10.121, 10.13],
    ['down', -1.119, -1.11],
    ['up', -1.111, -1.12],
  ])('%s makes %d of two decimals %d', async (rounding, amount, expected) => {
    const currency = { decimals: 2, rounding }
    const program = await shop.post('/v1/loyalty/programs', { name: 'Fine', currency })
    const account = (await shop.post('/v1/loyalty/accounts', { program: program.body.id })).body.id
    await credit(account, 100)
    expect((await post({ account, amount, reason: 'x' })).body.amount).toBe(expected)
  })

  it('that leaves nothing is 422 invalid_precision', async () => {
    const { status, body } = await post({ account: 'loy_9f2k', amount: 0.4, reason: 'x' })
    expect([status, body.error.code]).toEqual([422, 'invalid_precision'])
  })
})

describe('a batch', () => {
  const BATCH = `${PTX}/batch`

  it('of a thousand is written in one call, in order, and once for its key', async () => {
    const accounts = await Promise.all(Array.from({ length: 10 }, member))
    const transactions = Array.from({ length: 1_000 }, (_, i) => ({
      account: accounts[i % 10],
      amount: i + 1,
      reason: 'migration_opening_balance',
      metadata: { batch: 'thousand' },
    }))
    const first = await shop.post(BATCH, { transactions }, { idempotencyKey: 'thousand' })
    expect(first.status).toBe(201)
    expect(first.body.data.map(({ amount }: { amount: number }) => amount)).toEqual(
      transactions.map(({ amount }) => amount),
    )
    const again = await shop.post(BATCH, { transactions }, { idempotencyKey: 'thousand' })
    expect([again.status, again.body.data]).toEqual([200, first.body.data])
    const { rows } = await shop.owner.query(
      `select count(*)::int as n, sum(amount)::int as sum from ptx where batch = 'thousand'`,
    )
    expect(rows).toEqual([{ n: 1_000, sum: 500_500 }])
  })

  it('with one row refused writes none, and names the row', async () => {
    const account = await member()
    const transactions = [
      { account, amount: 100, reason: 'x' },
      { account, amount: -101, reason: 'x' },
    ]
    const { status, body } = await shop.post(BATCH, { transactions })
    expect(status).toBe(422)
    expect(body.error).toMatchObject({
      code: 'insufficient_points',
      param: 'transactions.1',
      available: 100,
    })
    expect(await balance(account)).toBe(0)
  })

  it('of batches that name the same members in different orders at once all succeed', async () => {
    const accounts = await Promise.all(Array.from({ length: 20 }, member))
    const rows = accounts.map((account) => ({ account, amount: 1, reason: 'x' }))
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        shop.post(BATCH, { transactions: i % 2 ? rows : [...rows].reverse() }),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(201))
    expect(await balance(accounts[0] ?? '')).toBe(8)
  })

  it.each<[string, object, string, string]>([
    ['no row', { transactions: [] }, 'parameter_invalid', 'transactions'],
    [
      'a row of nobody',
      { transactions: [{ account: 'loy_nobody', amount: 1, reason: 'x' }] },
      'resource_missing',
      'transactions.0.account',
    ],
    [
      'a zero',
      { transactions: [{ account: 'loy_9f2k', amount: 0, reason: 'x' }] },
      'parameter_invalid',
      'transactions.0.amount',
    ],
    [
      'too much',
      { transactions: [{ account: 'loy_9f2k', amount: 1e13, reason: 'x' }] },
      'parameter_invalid',
      'transactions.0.amount',
    ],
    [
      'no reason',
      { transactions: [{ account: 'loy_9f2k', amount: 1 }] },
      'parameter_missing',
      'transactions.0.reason',
    ],
    [
      '1,001 rows',
      {
        transactions: Array.from({ length: 1_001 }, () => ({
          account: 'loy_9f2k',
          amount: 1,
          reason: 'x',
        })),
      },
      'parameter_invalid',
      'transactions',
    ],
  ])('with %s is refused', async (_, body, code, param) => {
    const { body: answer } = await shop.post(BATCH, body)
    expect([answer.error.code, answer.error.param]).toEqual([code, param])
  })
})

describe('balance_at', () => {
  it('answers what the account had at an instant, now and before it existed', async () => {
    const account = await member()
    const before = new Date(Date.now() - 1_000).toISOString()
    const first = await credit(account, 100)
    await credit(account, 50)
    const at = (time: string) =>
      shop.get(`/v1/loyalty/accounts/${account}/balance_at?at=${encodeURIComponent(time)}`)
    const { rows } = await shop.owner.query('select at from ptx where id = $1', [first.id])
    const after = new Date(rows[0].at.getTime() + 1).toISOString()
    expect((await at(before)).body).toEqual({ account, balance: 0, at: before })
    expect([100, 150]).toContain((await at(after)).body.balance)
    expect((await at(new Date(Date.now() + 1_000).toISOString())).body.balance).toBe(150)
  })

  it('counts points as expired from their date on, written off or not', async () => {
    const account = await member()
    const expiresAt = new Date(Date.now() + 1_500)
    await post({ account, amount: 70, reason: 'x', expires_at: expiresAt.toISOString() })
    const at = async (ms: number) =>
      (
        await shop.get(
          `/v1/loyalty/accounts/${account}/balance_at?at=${new Date(ms).toISOString()}`,
        )
      ).body.balance
    expect(await at(expiresAt.getTime() - 1)).toBe(70)
    expect(await at(expiresAt.getTime())).toBe(0)
    await expect.poll(() => balance(account), { timeout: 20_000 }).toBe(0)
    expect([await at(expiresAt.getTime() - 1), await at(expiresAt.getTime())]).toEqual([70, 0])
    await credit(account, 5) // writes off what was due
    expect([await at(expiresAt.getTime() - 1), await at(expiresAt.getTime())]).toEqual([70, 0])
  })

  it('needs a time that is one', async () => {
    const path = '/v1/loyalty/accounts/loy_9f2k/balance_at'
    expect((await shop.get(path)).body.error).toMatchObject({
      code: 'parameter_missing',
      param: 'at',
    })
    expect((await shop.get(`${path}?at=yesterday`)).body.error).toMatchObject({
      code: 'parameter_invalid',
      param: 'at',
    })
  })
})

describe('a repeat after the points’ own date has passed', () => {
  /** Resolves once a new request with this date is refused: the date is past. */
  const passed = (account: string, expires_at: string) =>
    expect
      .poll(async () => (await post({ account, amount: 1, reason: 'probe', expires_at })).status, {
        interval: 200,
        timeout: 20_000,
      })
      .toBe(400)
  const soon = () => new Date(Date.now() + 1_500).toISOString()

  it('gets the transaction that was stored, and another body still its refusal', async () => {
    const [account, probe, expires_at] = [await member(), await member(), soon()]
    const body = { account, amount: 25, reason: 'promotion', expires_at }
    const first = await post(body, 'promotion-once')
    expect(first.status).toBe(201)
    await passed(probe, expires_at)
    const again = await post(body, 'promotion-once')
    expect([again.status, again.body.id]).toEqual([200, first.body.id])
    expect(again.headers['idempotent-replayed']).toBe('true')
    const other = await post({ ...body, amount: 26 }, 'promotion-once')
    expect([other.status, other.body.error.code]).toEqual([409, 'idempotency_key_reused'])
  })

  it('gets all transactions of a batch', async () => {
    const [account, probe, expires_at] = [await member(), await member(), soon()]
    const rows = [
      { account, amount: 5, reason: 'promotion' },
      { account, amount: 6, reason: 'promotion', expires_at },
    ]
    const ask = (key: string) =>
      shop.post(`${PTX}/batch`, { transactions: rows }, { idempotencyKey: key })
    const first = await ask('batch-once')
    expect(first.status).toBe(201)
    await passed(probe, expires_at)
    const again = await ask('batch-once')
    expect([again.status, again.body.data]).toEqual([200, first.body.data])
    const fresh = await ask('batch-twice')
    expect([fresh.status, fresh.body.error.param]).toEqual([400, 'transactions.1.expires_at'])
  })
})

describe('points beyond what can be counted exactly', () => {
  const LARGEST = 100_000_000_000 // the largest single movement in points
  const enrolRich = async (lifetime: number) => {
    const program = (
      await shop.post('/v1/loyalty/programs', { name: 'Rich', currency: { decimals: 1 } })
    ).body.id as string
    const account = (await shop.post('/v1/loyalty/accounts', { program })).body.id as string
    await shop.owner.query('update account set lifetime_points = $2 where id = $1', [
      account,
      lifetime,
    ])
    return account
  }
  const reset = (account: string) =>
    shop.owner.query(
      `update account set lifetime_points = coalesce((select sum(amount) from ptx where account = $1 and amount > 0), 0) where id = $1`,
      [account],
    )

  it('are refused at the credit', async () => {
    const account = await enrolRich(Number.MAX_SAFE_INTEGER - 10)
    const credit = (amount: number) =>
      shop.post('/v1/loyalty/transactions', { account, amount, reason: 'x' })
    const refused = await credit(LARGEST)
    expect([refused.status, refused.body.error.code, refused.body.error.param]).toEqual([
      400,
      'parameter_invalid',
      'amount',
    ])
    const last = await credit(1)
    expect([last.status, last.body.balance_after]).toEqual([201, 1])
    await reset(account)
  })
})

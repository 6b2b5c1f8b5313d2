import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { accountExpiryWorkflowId } from '../../temporal/names.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { signalsAndTasks, startedRun } from '../support/run.ts'

let shop: Shop

beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.close())

const accounts = '/v1/loyalty/accounts'
const DAY_MS = 86_400_000
const enrol = async (body: object = {}): Promise<string> =>
  (await shop.post(accounts, body)).body.id
const grant = (account: string, amount: number, more: object = {}) =>
  shop.post('/v1/loyalty/transactions', { account, amount, reason: 'test', ...more })
const merge = (source: string, target: string, idempotencyKey?: string) =>
  shop.post(`${accounts}/merge`, { source, target }, { idempotencyKey })
const account = async (id: string) => (await shop.get(`${accounts}/${id}`)).body
const redeem = (id: string, reward = 'rwd_fivecredit') =>
  shop.post('/v1/loyalty/redemptions', { account: id, reward })
/** Takes points below zero, as a refund of a payment does. */
const clawBack = (id: string, points: number) =>
  shop.commands.postTransaction({
    workspace: shop.workspace,
    account: id,
    type: 'clawback',
    amount: -points,
    reason: 'refund',
    operation: newId('op'),
    fingerprint: 'f',
    at: new Date().toISOString(),
    expiresAt: null,
    batch: null,
    source: { payment: 'pay_old', refund: 're_old' },
    metadata: {},
    allowNegative: true,
  })
const lotsOf = async (id: string) => {
  const { rows } = await shop.owner.query(
    'select id, remaining::int, expires_at from lot where account = $1 order by earned_at, id',
    [id],
  )
  return rows
}
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString()

describe('a merge', () => {
  it('empties the source into the target, as the document says', async () => {
    const [source, target] = [await enrol({ customer: 'cust_dup' }), await enrol()]
    await grant(source, 300)
    await grant(source, -50)
    await grant(target, 1_000)
    const { status, body } = await merge(source, target)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      id: target,
      status: 'active',
      balance: 1_250,
      lifetime_points: 1_300,
      customer: 'cust_dup',
    })
    expect(await account(source)).toMatchObject({
      status: 'merged',
      merged_into: target,
      balance: 0,
      lifetime_points: 0,
    })
    const { rows } = await shop.owner.query(
      `select data ->> 'merged_into' as into from event where type = 'loyalty.account.merged' and object = $1`,
      [source],
    )
    expect(rows).toEqual([{ into: target }])
  })

  it('moves lots with their dates, and the oldest is still spent first', async () => {
    const [source, target] = [await enrol(), await enrol()]
    const soon = inDays(10)
    await grant(source, 40, { expires_at: soon })
    await grant(target, 60, { expires_at: inDays(400) })
    const before = [...(await lotsOf(source)), ...(await lotsOf(target))]
    const { body } = await merge(source, target)
    expect(await lotsOf(target)).toEqual(before)
    expect(body.expiring_points[0]).toMatchObject({ points: 40 })
    await grant(target, -40)
    expect((await lotsOf(target)).map(({ remaining }) => remaining)).toEqual([0, 60])
  })

  it('shows the source’s transactions as the survivor’s, and leaves their rows as written', async () => {
    const [source, target] = [await enrol(), await enrol()]
    const first = await grant(source, 70)
    await grant(target, 5)
    await merge(source, target)
    const { body } = await shop.get(`/v1/loyalty/transactions?account=${target}`)
    expect(body.data.map(({ type, amount }: Row) => [type, amount])).toEqual([
      ['merge', 70],
      ['merge', -70],
      ['adjust', 5],
      ['adjust', 70],
    ])
    expect(new Set(body.data.map((row: Row) => row.account))).toEqual(new Set([target]))
    const sum = body.data.reduce((total: number, { amount }: Row) => total + amount, 0)
    expect(sum).toBe((await account(target)).balance)
    const one = await shop.get(`/v1/loyalty/transactions/${first.body.id}`)
    expect(one.body.account).toBe(target)
    const { rows } = await shop.owner.query('select account from ptx where id = $1', [
      first.body.id,
    ])
    expect(rows).toEqual([{ account: source }])
  })

  it('is refused while a redemption is pending on either side, with its ids, and goes through once they end', async () => {
    const [source, target] = [await enrol(), await enrol()]
    await grant(source, 500)
    await grant(target, 500)
    const ids = [(await redeem(source)).body.id, (await redeem(target)).body.id]
    const refused = await merge(source, target)
    expect([refused.status, refused.body.error.code]).toEqual([422, 'redemptions_in_flight'])
    expect(refused.body.error.redemptions).toEqual(ids)
    expect(await account(source)).toMatchObject({ status: 'active' })
    for (const id of ids) await shop.post(`/v1/loyalty/redemptions/${id}/cancel`)
    expect((await merge(source, target)).body.balance).toBe(1_000)
  })

  it('is not held up by one that waits for its fulfilment, which can still be reversed', async () => {
    const [source, target] = [await enrol(), await enrol()]
    await grant(source, 800)
    const redemption = await redeem(source, 'rwd_totebag')
    expect(redemption.body.status).toBe('fulfillment_pending')
    expect((await merge(source, target)).status).toBe(200)
    const path = `/v1/loyalty/redemptions/${redemption.body.id}/reverse`
    expect((await shop.post(path, { reason: 'sold out' })).body.status).toBe('reversed')
    expect((await account(target)).balance).toBe(800)
  })

  it('repeated changes nothing, with a key or without', async () => {
    const [source, target] = [await enrol(), await enrol()]
    await grant(source, 10)
    const first = await merge(source, target, 'merge-once')
    for (const again of [await merge(source, target, 'merge-once'), await merge(source, target)]) {
      expect([again.status, again.body.balance]).toEqual([200, first.body.balance])
      expect(again.headers['idempotent-replayed']).toBe('true')
    }
    const reused = await merge(target, source, 'merge-once')
    expect([reused.status, reused.body.error.code]).toEqual([409, 'idempotency_key_reused'])
  })

  it.each([
    [-30, 100, [70]],
    [100, -30, [70]],
    [-30, 20, [0]],
    [-30, -20, []],
    [0, -5, []],
  ])('nets a deficit: %i into %i', async (sourceBalance, targetBalance, left) => {
    const [source, target] = [await enrol(), await enrol()]
    for (const [id, balance] of [
      [source, sourceBalance],
      [target, targetBalance],
    ] as const) {
      if (balance > 0) await grant(id, balance)
      if (balance < 0) await clawBack(id, -balance)
    }
    const { body } = await merge(source, target)
    expect(body.balance).toBe(sourceBalance + targetBalance)
    expect((await lotsOf(target)).map(({ remaining }) => remaining)).toEqual(left)
    expect(await shop.reconcile()).toEqual([])
    await grant(target, 200)
    expect((await account(target)).balance).toBe(200 + sourceBalance + targetBalance)
    expect(await shop.reconcile()).toEqual([])
  })

  it('leaves the survivor its own customer, and no customer to two', async () => {
    const [source, target] = [
      await enrol({ customer: 'cust_a' }),
      await enrol({ customer: 'cust_b' }),
    ]
    expect((await merge(source, target)).body.customer).toBe('cust_b')

    const closed = await enrol({ customer: 'cust_c' })
    await shop.post(`${accounts}/${closed}/close`)
    await enrol({ customer: 'cust_c' })
    expect((await merge(closed, await enrol())).body.customer).toBeNull()
  })

  it.each([
    ['with itself', (id: string) => [id, id], 400, 'parameter_invalid'],
    ['with nobody', (id: string) => [id, 'loy_nobody'], 404, 'resource_missing'],
    ['of nobody', (id: string) => ['loy_nobody', id], 404, 'resource_missing'],
  ] as const)('%s is refused', async (_name, pair, status, code) => {
    const [source, target] = pair(await enrol()) as [string, string]
    const answer = await merge(source, target)
    expect([answer.status, answer.body.error.code]).toEqual([status, code])
  })

  it('across programs is refused, and into a closed account too', async () => {
    await shop.owner.query(
      `insert into program (workspace, id, name) values ($1, 'prog_other', 'Other')`,
      [shop.workspace],
    )
    const [source, target] = [await enrol(), await enrol({ program: 'prog_other' })]
    const across = await merge(source, target)
    expect([across.status, across.body.error.param]).toEqual([400, 'target'])
    const closed = await enrol()
    await shop.post(`${accounts}/${closed}/close`)
    const into = await merge(source, closed)
    expect([into.status, into.body.error.code]).toEqual([422, 'account_closed'])
    expect((await merge(closed, source)).status).toBe(200)
  })
})

describe('after a merge', () => {
  it('what names the source reaches the survivor', async () => {
    const [source, target] = [await enrol(), await enrol()]
    await grant(source, 500)
    await merge(source, target)
    expect((await grant(source, 100)).body).toMatchObject({ account: target, balance_after: 600 })
    const redemption = await redeem(source)
    expect([redemption.status, redemption.body.account]).toEqual([201, target])
    expect((await account(target)).balance).toBe(100)
    expect(await account(source)).toMatchObject({ status: 'merged', balance: 0 })
  })

  it('a clawback for a payment of the source takes from the survivor', async () => {
    const [source, target] = [await enrol(), await enrol()]
    await grant(source, 50)
    await grant(target, 20)
    await merge(source, target)
    await clawBack(source, 90)
    expect((await account(target)).balance).toBe(-20)
    expect((await account(source)).balance).toBe(0)
    expect(await shop.reconcile()).toEqual([])
  })

  it('reversing a redemption of the source gives the points back to the lot they came from', async () => {
    const [source, target] = [await enrol(), await enrol()]
    const soon = inDays(30)
    await grant(source, 500, { expires_at: soon })
    const redemption = await redeem(source)
    const paid = await shop.post('/v1/payments', {
      amount: 2_999,
      currency: 'eur',
      card: '4242424242424242',
      redemptions: [redemption.body.id],
    })
    expect(paid.body.status).toBe('completed')
    const path = `/v1/loyalty/redemptions/${redemption.body.id}`
    await expect.poll(async () => (await shop.get(path)).body.status).toBe('applied')
    await merge(source, target)
    expect((await shop.get(path)).body.account).toBe(target)
    expect((await shop.get(`/v1/loyalty/redemptions?account=${target}`)).body.data).toHaveLength(1)
    const part = await shop.post(`${path}/reverse`, { reason: 'returned', points: 200 })
    expect(part.body).toMatchObject({ status: 'applied', reversed_points: 200 })
    expect(await account(target)).toMatchObject({
      balance: 200,
      expiring_points: [{ points: 200, expires_at: soon }],
    })
    const rows = await shop.get(`/v1/loyalty/transactions?redemption=${redemption.body.id}`)
    expect(rows.body.data.map(({ type }: Row) => type)).toEqual(['reverse', 'redeem'])
    expect(await shop.reconcile()).toEqual([])
  })

  it('the member’s limit on a reward still counts what the source redeemed', async () => {
    const [source, target] = [await enrol(), await enrol()]
    const reward = await shop.post('/v1/loyalty/rewards', {
      name: 'Once',
      type: 'store_credit',
      cost: 10,
      value: { amount: 100, currency: 'EUR' },
      per_member_limit: 1,
    })
    await grant(source, 100)
    expect((await redeem(source, reward.body.id)).status).toBe(201)
    await merge(source, target)
    expect((await redeem(target, reward.body.id)).body.error.code).toBe('limit_reached')
  })

  it('a chain leads to its end, whichever link is named', async () => {
    const [a, b, c] = [await enrol(), await enrol(), await enrol()]
    for (const id of [a, b, c]) await grant(id, 10)
    await merge(a, b)
    await merge(b, c)
    expect(await account(c)).toMatchObject({ balance: 30, lifetime_points: 30 })
    await grant(a, 5)
    expect((await account(c)).balance).toBe(35)
    expect((await merge(a, b)).headers['idempotent-replayed']).toBe('true')
    const { body } = await shop.get(`/v1/loyalty/transactions?account=${c}`)
    expect(body.data.reduce((total: number, { amount }: Row) => total + amount, 0)).toBe(35)
    const late = await enrol()
    await grant(late, 1)
    expect((await merge(late, a)).body).toMatchObject({ id: c, balance: 36 })
    expect(await shop.reconcile()).toEqual([])
  })

  it('the source goes nowhere else, and no circle closes', async () => {
    const [a, b, other] = [await enrol(), await enrol(), await enrol()]
    await merge(a, b)
    for (const answer of [await merge(a, other), await merge(b, a)]) {
      expect([answer.status, answer.body.error.code]).toEqual([422, 'account_merged'])
    }
    const changes = [
      await shop.patch(`${accounts}/${a}`, { customer: 'cust_gone' }),
      await shop.post(`${accounts}/${a}/close`),
      await shop.post(`${accounts}/${a}/reopen`),
    ]
    for (const { status, body } of changes) {
      expect([status, body.error.code, body.error.resource]).toEqual([422, 'account_merged', b])
    }
  })

  describe('the source’s customer', () => {
    const pair = async () => {
      const [old, kept] = [`cust_${newId('op')}`, `cust_${newId('op')}`]
      const [source, target] = [await enrol({ customer: old }), await enrol({ customer: kept })]
      await merge(source, target)
      return { old, kept, source, target }
    }
    const find = async (query: string) =>
      (await shop.get(`${accounts}?${query}`)).body.data.map(({ id }: { id: string }) => id)
    const taken = ({ status, body }: Awaited<ReturnType<typeof shop.post>>) => [
      status,
      body.error?.code,
      body.error?.resource,
    ]

    it('is found as the survivor, and enrols no second time', async () => {
      const { old, source, target } = await pair()
      expect(await find(`customer=${old}&limit=1`)).toEqual([target])
      expect(await find(`customer=${old}&program=prog_default&status=active`)).toEqual([target])
      expect(await find(`customer=${old}&status=merged`)).toEqual([source])
      expect(await find(`customer=${old}&status=closed`)).toEqual([])
      const again = await shop.post(accounts, { customer: old })
      expect(taken(again)).toEqual([409, 'account_already_exists', target])
      expect(await find(`customer=${old}`)).toEqual([target])
    })

    it('is linked to nobody else, nor comes back by reopening', async () => {
      const old = `cust_${newId('op')}`
      const left = await enrol({ customer: old })
      await shop.post(`${accounts}/${left}/close`)
      const [source, target] = [await enrol({ customer: old }), await enrol({ customer: 'cust_o' })]
      await merge(source, target)
      const other = await enrol()
      const refused = [409, 'account_already_exists', target]
      expect(taken(await shop.patch(`${accounts}/${other}`, { customer: old }))).toEqual(refused)
      expect(taken(await shop.post(`${accounts}/${left}/reopen`))).toEqual(refused)
      expect(await find(`customer=${old}`)).toEqual([target, left])
    })

    it('leads to the survivor of the survivor', async () => {
      const { old, target } = await pair()
      const last = await enrol({ customer: `cust_${newId('op')}` })
      await merge(target, last)
      expect(await find(`customer=${old}`)).toEqual([last])
      expect(taken(await shop.post(accounts, { customer: old }))[2]).toBe(last)
    })

    it('may enrol again where the survivor was closed or unlinked', async () => {
      const closed = await pair()
      await shop.post(`${accounts}/${closed.target}/close`)
      const again = await shop.post(accounts, { customer: closed.old })
      expect(again.status).toBe(201)
      expect(await find(`customer=${closed.old}`)).toEqual([again.body.id])

      const unlinked = await pair()
      await shop.patch(`${accounts}/${unlinked.target}`, { customer: null })
      expect(await find(`customer=${unlinked.old}`)).toEqual([])
      expect((await shop.post(accounts, { customer: unlinked.old })).status).toBe(201)
      const relinked = await pair()
      await shop.patch(`${accounts}/${relinked.target}`, { customer: `cust_${newId('op')}` })
      expect(await find(`customer=${relinked.old}`)).toEqual([relinked.target])
      expect((await shop.post(accounts, { customer: relinked.kept })).status).toBe(201)
    })

    it('races a merge without making a second member', async () => {
      for (let round = 0; round < 10; round++) {
        const old = `cust_${newId('op')}`
        const [source, target] = [
          await enrol({ customer: old }),
          await enrol({ customer: `cust_${newId('op')}` }),
        ]
        const [, ...made] = await Promise.all([
          merge(source, target),
          shop.post(accounts, { customer: old }),
          shop.post(accounts, { customer: old }),
        ])
        for (const { status, body } of made) {
          expect([status, body.error?.code]).toEqual([409, 'account_already_exists'])
          expect([source, target]).toContain(body.error.resource)
        }
        expect(await find(`customer=${old}`)).toEqual([target])
      }
    })

    it('pays with what the survivor redeemed, and with its store credit', async () => {
      const { old, target } = await pair()
      await grant(target, 500)
      const redemption = await redeem(target)
      const paid = await shop.post('/v1/payments', {
        amount: 2_999,
        currency: 'eur',
        card: '4242424242424242',
        customer: old,
        redemptions: [redemption.body.id],
      })
      expect([paid.status, paid.body.amount_charged]).toEqual([201, 2_499])
      const credit = await shop.post('/v1/loyalty/rewards', {
        name: 'Credit',
        type: 'store_credit',
        cost: 10,
        value: { amount: 1_000, currency: 'EUR' },
      })
      await grant(target, 10)
      expect((await redeem(target, credit.body.id)).status).toBe(201)
      const spent = await shop.post('/v1/payments', {
        amount: 2_999,
        currency: 'eur',
        card: '4242424242424242',
        customer: old,
        store_credit: {},
      })
      expect([spent.status, spent.body.amount_charged]).toEqual([201, 1_999])
    })
  })

  it('it is listed only where asked for by status', async () => {
    const [a, b] = [await enrol({ customer: 'cust_listed' }), await enrol()]
    await merge(a, b)
    const list = async (more = '') =>
      (await shop.get(`${accounts}?customer=cust_listed${more}`)).body.data.map(
        ({ id }: { id: string }) => id,
      )
    expect(await list()).toEqual([b])
    expect(await list('&status=merged')).toEqual([a])
  })
})

describe('the survivor’s expiry', () => {
  const run = (id: string) => startedRun(shop.engine, accountExpiryWorkflowId(shop.workspace, id))

  it('has a run after the merge where it had none, which expires what came at its date', async () => {
    const [source, target] = [await enrol(), await enrol()]
    const due = new Date(Date.now() + 3_000).toISOString()
    await grant(source, 40, { expires_at: due })
    await grant(target, 60)
    await (await run(source)).terminate('lost') // its own run would pass the date on
    await merge(source, target)
    expect((await (await run(target)).describe()).status.name).toBe('RUNNING')
    await (await run(target)).result()
    expect((await account(target)).balance).toBe(60)
  })

  it('wakes earlier where what came is due before its own points', async () => {
    const [source, target] = [await enrol(), await enrol()]
    await grant(source, 40, { expires_at: new Date(Date.now() + 3_000).toISOString() })
    await grant(target, 60, { expires_at: inDays(50) })
    await (await run(source)).terminate('lost')
    await merge(source, target)
    const expired = async () =>
      (await shop.get(`/v1/loyalty/transactions?account=${target}&type=expire`)).body.data
    await expect
      .poll(expired, { timeout: 20_000 })
      .toMatchObject([{ amount: -40, balance_after: 60 }])
    expect((await (await run(target)).describe()).status.name).toBe('RUNNING')
  })

  it('is not disturbed by a merge that brings later dates only', async () => {
    const [source, target] = [await enrol(), await enrol()]
    await grant(source, 40, { expires_at: inDays(90) })
    await grant(target, 60, { expires_at: inDays(50) })
    await merge(source, target)
    expect(await signalsAndTasks(await run(target))).toEqual({ signals: 1, tasks: 0 })
  })
})

describe('merges at once', () => {
  it('into each other: one wins, and no point is lost', async () => {
    for (let round = 0; round < 10; round++) {
      const [a, b] = [await enrol(), await enrol()]
      await grant(a, 30)
      await grant(b, 12)
      const answers = await Promise.all([merge(a, b), merge(b, a)])
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 422]))
      const [left, right] = [await account(a), await account(b)]
      expect(left.balance + right.balance).toBe(42)
    }
    expect(await shop.reconcile()).toEqual([])
  })

  it('round a ring of accounts under earning and spending: everything ends on one', async () => {
    const ring = await Promise.all(Array.from({ length: 6 }, () => enrol()))
    const work = ring.flatMap((id, index) => [
      grant(id, 100),
      merge(id, ring[(index + 1) % ring.length] ?? ''),
      grant(id, 7),
      grant(id, -3),
      redeem(id),
    ])
    const answers = await Promise.all(work)
    const moved = answers
      .filter(({ status, body }) => status === 201 && body.object === 'points_transaction')
      .reduce((total, { body }) => total + body.amount, 0)
    const spent = answers.filter(({ body }) => body.object === 'redemption').length * 500
    const balances = await Promise.all(ring.map(async (id) => (await account(id)).balance))
    expect(balances.reduce((total, balance) => total + balance, 0)).toBe(moved - spent)
    expect(answers.filter(({ status }) => status >= 500)).toEqual([])
    expect(await shop.reconcile()).toEqual([])
  })
})

it('leaves the books in order', async () => {
  expect(await shop.reconcile()).toEqual([])
})

type Row = { type: string; amount: number; account: string }

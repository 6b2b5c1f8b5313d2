import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop
let tenEuro: string
beforeAll(async () => {
  shop = await openShop()
  tenEuro = await reward({})
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const VISA = '4242424242424242'
const DECLINED = '4000000000000002'

async function reward(more: object): Promise<string> {
  const { body } = await shop.post('/v1/loyalty/rewards', {
    name: 'EUR 10 credit',
    type: 'store_credit',
    cost: 1_000,
    value: { amount: 1_000, currency: 'EUR' },
    ...more,
  })
  return body.id
}

let customers = 0
/** A member with points, and so many issues of EUR 10. */
async function member(issues = 1, of = tenEuro) {
  const customer = `cust_credit_${++customers}`
  const { body } = await shop.post('/v1/loyalty/accounts', { customer })
  const account: string = body.id
  await shop.post('/v1/loyalty/transactions', { account, amount: 9_000, reason: 'test' })
  const redemptions: string[] = []
  for (let n = 0; n < issues; n++) redemptions.push((await issue(account, of)).body.id)
  return { account, customer, redemptions, redemption: redemptions[0] ?? '' }
}
const issue = (account: string, of = tenEuro, idempotencyKey?: string) =>
  shop.post(
    '/v1/loyalty/redemptions',
    { account, reward: of },
    idempotencyKey === undefined ? {} : { idempotencyKey },
  )
const pay = (more: object, idempotencyKey?: string) =>
  shop.post(
    '/v1/payments',
    { amount: 3_000, currency: 'EUR', ...more },
    idempotencyKey === undefined ? {} : { idempotencyKey },
  )
const walletOf = async (account: string) =>
  (await shop.get(`/v1/loyalty/accounts/${account}/store_credit`)).body.wallets
const balanceOf = async (account: string, currency = 'EUR') =>
  (await walletOf(account)).find((one: { currency: string }) => one.currency === currency)
    ?.balance ?? 0
async function movesOf(account: string): Promise<[string, number][]> {
  const { body } = await shop.get(
    `/v1/loyalty/store_credit_transactions?account=${account}&limit=100`,
  )
  return body.data
    .map(({ type, amount }: { type: string; amount: number }) => [type, amount])
    .reverse()
}
const reverse = (id: string, more: object = {}) =>
  shop.post(`/v1/loyalty/redemptions/${id}/reverse`, { reason: 'mistake', ...more })
/** As if the credits of a member had been issued so long ago that they are due. */
const age = (account: string) =>
  shop.owner.query(`update credit set expires_at = now() - interval '1 hour' where account = $1`, [
    account,
  ])

describe('a redemption of store credit', () => {
  it('fills the wallet in its own transaction, once, and says so in an event', async () => {
    const { account, customer } = await member(0)
    const [first, again] = [
      await issue(account, tenEuro, 'one'),
      await issue(account, tenEuro, 'one'),
    ]
    expect([first.status, first.body.status, again.status]).toEqual([201, 'fulfilled', 200])
    expect(await walletOf(account)).toEqual([{ currency: 'EUR', balance: 1_000, expiring: [] }])
    expect(await movesOf(account)).toEqual([['issue', 1_000]])
    const events = await shop.get('/v1/events?type=customer.credit.issued&limit=1')
    expect(events.body.data[0].data).toMatchObject({
      id: first.body.credit.id,
      account,
      customer,
      redemption: first.body.id,
      amount: 1_000,
      currency: 'EUR',
      expires_at: null,
    })
  })

  it('of a quantity, in another currency, with a date, is one credit of its own', async () => {
    const { account } = await member(1)
    const of = await reward({ value: { amount: 500, currency: 'NOK', expiresDays: 30 } })
    const { body } = await shop.post('/v1/loyalty/redemptions', {
      account,
      reward: of,
      quantity: 3,
    })
    const inDays = (Date.parse(body.credit.expires_at) - Date.now()) / 86_400_000
    expect(inDays).toBeGreaterThan(29.9)
    expect(inDays).toBeLessThanOrEqual(30)
    const { id: credit, expires_at } = body.credit
    expect(await walletOf(account)).toEqual([
      { currency: 'EUR', balance: 1_000, expiring: [] },
      { currency: 'NOK', balance: 1_500, expiring: [{ credit, amount: 1_500, expires_at }] },
    ])
  })
})

describe('spending', () => {
  it.each([
    ['an amount', 400, 400],
    ['true', true, 1_000],
    ['an amount in its long form', { amount: 250 }, 250],
  ])('%s takes it off the charge after the discounts', async (_, store_credit, spent) => {
    const { account, customer } = await member()
    const off = await shop.post('/v1/loyalty/redemptions', { account, reward: 'rwd_fivecredit' })
    const { status, body } = await pay({
      customer,
      redemptions: [off.body.id],
      store_credit,
      card: VISA,
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      status: 'completed',
      amount_charged: 2_500 - spent,
      store_credit: spent,
      store_credit_account: account,
    })
    expect(await balanceOf(account)).toBe(1_000 - spent)
  })

  it('never takes more than is left to charge, and a charge of zero completes at once', async () => {
    const { account, customer } = await member()
    const { body } = await pay({ amount: 700, customer, store_credit: true })
    expect(body).toMatchObject({ status: 'completed', amount_charged: 0, store_credit: 700 })
    expect(await balanceOf(account)).toBe(300)
  })

  it('takes from what expires soonest, then from the rest', async () => {
    const dated = await reward({ value: { amount: 300, currency: 'EUR', expiresDays: 10 } })
    const { account, customer } = await member()
    const soon = await issue(account, dated)
    await pay({ customer, store_credit: 500, card: VISA })
    const { body } = await shop.get(
      `/v1/loyalty/store_credit_transactions?account=${account}&type=spend`,
    )
    const spent = body.data.map(({ credit, amount }: { credit: string; amount: number }) => [
      credit === soon.body.credit.id,
      amount,
    ])
    expect(spent).toEqual([
      [false, -200],
      [true, -300],
    ])
  })

  it('sent again with its key spends nothing again', async () => {
    const { account, customer } = await member()
    const asked = { customer, store_credit: 400, card: VISA }
    const [first, again] = [await pay(asked, 'spend-1'), await pay(asked, 'spend-1')]
    expect([first.status, again.status, again.body]).toEqual([201, 200, first.body])
    expect(await balanceOf(account)).toBe(600)
  })

  it('of the same money by many at once succeeds for as much as there is', async () => {
    const { account, customer } = await member(2)
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => pay({ customer, store_credit: 300, card: VISA })),
    )
    const paid = answers.filter(({ status }) => status === 201)
    expect(paid).toHaveLength(6)
    for (const { body } of answers.filter(({ status }) => status !== 201)) {
      expect(body.error).toMatchObject({ code: 'parameter_invalid', param: 'store_credit' })
      expect(body.error.available).toBeLessThan(300)
    }
    expect(await balanceOf(account)).toBe(200)
  })

  it('finds the wallet by the account named in the payment', async () => {
    const { account } = await member()
    const named = await pay({
      metadata: { loyalty_account: account },
      store_credit: 100,
      card: VISA,
    })
    expect(named.body.store_credit_account).toBe(account)
    const direct = await pay({ store_credit: { account, amount: 100 }, card: VISA })
    expect(direct.body.store_credit).toBe(100)
    expect(await balanceOf(account)).toBe(800)
  })

  it.each([
    ['more than there is', 400, 'parameter_invalid', { store_credit: 1_001 }],
    ['nobody’s', 400, 'parameter_invalid', { customer: undefined, store_credit: 1 }],
    ['of another customer', 400, 'parameter_invalid', { customer: 'cust_other' }],
    ['of no account', 404, 'resource_missing', { store_credit: { account: 'loy_nobody' } }],
    ['nothing', 400, 'parameter_invalid', { store_credit: 0 }],
    ['a fraction', 400, 'parameter_invalid', { store_credit: 1.5 }],
  ])('refuses %s, and writes nothing', async (_, status, code, more) => {
    const { account, customer } = await member()
    const answer = await pay({ customer, store_credit: { account }, card: VISA, ...more })
    expect([answer.status, answer.body.error.code]).toEqual([status, code])
    expect(await movesOf(account)).toEqual([['issue', 1_000]])
  })

  it('is refused for a closed account', async () => {
    const { account } = await member()
    await shop.post(`/v1/loyalty/accounts/${account}/close`)
    const answer = await pay({ store_credit: { account } })
    expect([answer.status, answer.body.error.code]).toEqual([422, 'account_closed'])
  })

  it('in another currency finds nothing there', async () => {
    const { customer } = await member()
    const answer = await pay({ currency: 'SEK', customer, store_credit: 100 })
    expect(answer.body.error).toMatchObject({ param: 'store_credit', available: 0 })
  })
})

describe('a payment that does not complete', () => {
  it('gives it back once where its card is declined', async () => {
    const { account, customer } = await member()
    const { body } = await pay({ customer, store_credit: 400, card: DECLINED })
    expect([body.status, body.store_credit]).toEqual(['failed', 0])
    expect(await movesOf(account)).toEqual([
      ['issue', 1_000],
      ['spend', -400],
      ['return', 400],
    ])
  })

  it('gives it back once where it is canceled, however often and by whomever', async () => {
    const { account, customer } = await member()
    const { body } = await pay({ customer, store_credit: true })
    expect(await balanceOf(account)).toBe(0)
    const cancel = () => shop.post(`/v1/payments/${body.id}/cancel`)
    const data = { id: body.id, amount: 3_000, currency: 'eur' }
    await Promise.all([
      cancel(),
      cancel(),
      shop.webhook({ id: `evt_${body.id}`, type: 'payment.canceled', data }),
      shop.webhook({ id: `evt_${body.id}`, type: 'payment.canceled', data }),
    ])
    expect(await balanceOf(account)).toBe(1_000)
    expect(await movesOf(account)).toHaveLength(3)
  })

  it('gives it back once where it expires', async () => {
    const { account, customer } = await member()
    const { body } = await pay({ customer, store_credit: 900 })
    await shop.owner.query(`update payment set expires_at = now() where id = $1`, [body.id])
    const at = new Date().toISOString()
    const expire = () =>
      shop.commands.expirePayment({ workspace: shop.workspace, payment: body.id, at })
    await Promise.all([expire(), expire()])
    expect((await shop.get(`/v1/payments/${body.id}`)).body.status).toBe('expired')
    expect(await movesOf(account)).toEqual([
      ['issue', 1_000],
      ['spend', -900],
      ['return', 900],
    ])
  })

  it('and completes all the same takes it again, as far as the wallet still has it', async () => {
    const { account, customer } = await member()
    const { body } = await pay({ customer, store_credit: 900 })
    await shop.post(`/v1/payments/${body.id}/cancel`)
    await pay({ customer, store_credit: 400, card: VISA })
    const data = { id: body.id, amount: 3_000, amount_charged: 2_100, currency: 'eur' }
    await shop.webhook({ id: `evt_late_${body.id}`, type: 'payment.completed', data })
    const late = await shop.get(`/v1/payments/${body.id}`)
    expect(late.body).toMatchObject({
      status: 'completed',
      store_credit: 600,
      amount_charged: 2_100,
    })
    expect(await balanceOf(account)).toBe(0)
  })

  it('keeps its store credit where its discount is taken off, and charges the difference', async () => {
    const { account, customer } = await member()
    const off = await shop.post('/v1/loyalty/redemptions', { account, reward: 'rwd_fivecredit' })
    const { body } = await pay({ customer, redemptions: [off.body.id], store_credit: 400 })
    expect(body.amount_charged).toBe(2_100)
    await shop.post(`/v1/loyalty/redemptions/${off.body.id}/cancel`)
    const after = await shop.get(`/v1/payments/${body.id}`)
    expect(after.body).toMatchObject({ amount_charged: 2_600, store_credit: 400 })
  })

  it('gives credit back that is due by then as the program says: restore expires it, extend lets it live', async () => {
    const { account, customer } = await member()
    const first = await pay({ customer, store_credit: 400 })
    await age(account)
    await shop.post(`/v1/payments/${first.body.id}/cancel`)
    expect(await movesOf(account)).toEqual([
      ['issue', 1_000],
      ['spend', -400],
      ['return', 400],
      ['expire', -1_000],
    ])

    const extend = { redemption: { expiredReturn: 'extend', graceDays: 5 } }
    await shop.patch('/v1/loyalty/programs/prog_default', extend)
    const other = await member()
    const second = await pay({ customer: other.customer, store_credit: true })
    await age(other.account)
    await shop.post(`/v1/payments/${second.body.id}/cancel`)
    const [wallet] = await walletOf(other.account)
    expect(wallet.balance).toBe(1_000)
    const inDays = (Date.parse(wallet.expiring[0].expires_at) - Date.now()) / 86_400_000
    expect(Math.round(inDays)).toBe(5)
    await shop.patch('/v1/loyalty/programs/prog_default', {
      redemption: { expiredReturn: 'restore', graceDays: 30 },
    })
  })
})

describe('a refund', () => {
  const refund = (payment: string, more: object = {}) =>
    shop.post('/v1/refunds', { payment, ...more })

  it('of all the money gives all the store credit back, once', async () => {
    const { account, customer } = await member()
    const { body } = await pay({ customer, store_credit: 400, card: VISA })
    await refund(body.id, { amount: 600 })
    expect(await balanceOf(account)).toBe(600)
    const rest = await refund(body.id)
    expect(rest.body).toMatchObject({ amount: 2_000, store_credit: 400 })
    expect(await balanceOf(account)).toBe(1_000)
    expect((await refund(body.id)).body.error.code).toBe('not_reversible')
    const paid = await shop.get(`/v1/payments/${body.id}`)
    expect(paid.body).toMatchObject({ status: 'refunded', store_credit: 0 })
    const { data } = (await shop.get(`/v1/loyalty/store_credit_transactions?payment=${body.id}`))
      .body
    const [back, spend] = data
    expect(back).toMatchObject({ type: 'return', reverses: spend.id, amount: 400 })
  })

  it('of a part gives back what it is asked to, and no more than was spent', async () => {
    const { account, customer } = await member()
    const { body } = await pay({ customer, store_credit: 400, card: VISA })
    const part = await refund(body.id, { amount: 100, store_credit: 150 })
    expect([part.status, part.body.store_credit]).toEqual([201, 150])
    expect(await balanceOf(account)).toBe(750)
    const more = await refund(body.id, { amount: 100, store_credit: 251 })
    expect(more.body.error).toMatchObject({ param: 'store_credit', available: 250 })
    expect((await refund(body.id, { amount: 100, store_credit: true })).body.store_credit).toBe(250)
  })

  it('of a payment that store credit paid alone gives that back and no money', async () => {
    const { account, customer } = await member()
    const { body } = await pay({ amount: 800, customer, store_credit: true })
    expect((await refund(body.id)).body.error.code).toBe('not_reversible')
    const back = await refund(body.id, { store_credit: true })
    expect([back.status, back.body.amount, back.body.store_credit]).toEqual([201, 0, 800])
    expect(await balanceOf(account)).toBe(1_000)
    expect((await refund(body.id, { store_credit: true })).body.error.code).toBe('not_reversible')
  })

  it('reported by the provider gives it back once as well', async () => {
    const { account, customer } = await member()
    const { body } = await pay({ customer, store_credit: 400, card: VISA })
    const data = {
      id: body.id,
      amount: 3_000,
      currency: 'eur',
      refunds: [{ id: 're_provider', payment: body.id, amount: 2_600 }],
    }
    for (const id of ['evt_refund_1', 'evt_refund_1', 'evt_refund_2']) {
      await shop.webhook({ id, type: 'payment.refunded', data })
    }
    expect(await balanceOf(account)).toBe(1_000)
  })
})

describe('reversing a redemption of store credit', () => {
  it('takes the money back and returns the points', async () => {
    const { account, redemption } = await member()
    const { body } = await reverse(redemption)
    expect(body.status).toBe('reversed')
    expect(await balanceOf(account)).toBe(0)
    expect((await shop.get(`/v1/loyalty/accounts/${account}`)).body.balance).toBe(9_000)
    expect((await reverse(redemption)).body.error.code).toBe('redemption_already_settled')
  })

  it('is refused for what was spent, and says how many points can be', async () => {
    const { account, customer, redemption } = await member()
    await pay({ customer, store_credit: 333, card: VISA })
    const all = await reverse(redemption)
    expect([all.status, all.body.error.code]).toEqual([422, 'not_reversible'])
    expect(all.body.error).toMatchObject({ available: 667, remaining: 667, currency: 'EUR' })
    expect((await reverse(redemption, { points: 668 })).status).toBe(422)
    const part = await reverse(redemption, { points: 667 })
    expect(part.body).toMatchObject({ status: 'fulfilled', reversed_points: 667 })
    expect(await balanceOf(account)).toBe(0)
    expect((await reverse(redemption)).body.error).toMatchObject({ available: 0 })
  })

  it('part by part takes all of it in the end, rounded up on the way', async () => {
    const of = await reward({ cost: 3, value: { amount: 100, currency: 'EUR' } })
    const { account, redemption } = await member(1, of)
    const left: number[] = []
    for (let n = 0; n < 3; n++) {
      await reverse(redemption, { points: 1 })
      left.push(await balanceOf(account))
    }
    expect(left).toEqual([66, 33, 0])
  })

  it('is refused for what has expired', async () => {
    const { account, redemption } = await member()
    await age(account)
    expect((await reverse(redemption)).body.error).toMatchObject({
      code: 'not_reversible',
      available: 0,
    })
  })

  it('at the same time as it is spent ends in one or the other', async () => {
    for (let round = 0; round < 5; round++) {
      const { account, customer, redemption } = await member()
      const [reversed, paid] = await Promise.all([
        reverse(redemption),
        pay({ customer, store_credit: 1_000, card: VISA }),
      ])
      expect([reversed.status === 200, paid.status === 201].filter(Boolean)).toHaveLength(1)
      expect(await balanceOf(account)).toBe(0)
    }
  })
})

describe('what has a date', () => {
  it('is not spendable from then on, written off or not, and is written off with that date', async () => {
    const { account, customer } = await member()
    await age(account)
    expect(await balanceOf(account)).toBe(0)
    const owed = async () => {
      const { body } = await shop.get('/v1/loyalty/programs/prog_default/store_credit_liability')
      return body.currencies.find((one: { currency: string }) => one.currency === 'EUR').outstanding
    }
    const before = await owed()
    const answer = await pay({ customer, store_credit: 1 })
    expect(answer.body.error).toMatchObject({ available: 0 })
    expect(await movesOf(account)).toEqual([['issue', 1_000]])
    const expire = () => shop.commands.expireCredit({ workspace: shop.workspace, account })
    await Promise.all([expire(), expire()])
    expect(await movesOf(account)).toEqual([
      ['issue', 1_000],
      ['expire', -1_000],
    ])
    expect(await owed()).toBe(before)
  })
})

describe('a merge', () => {
  it('brings the credit along, and what comes back later comes to the survivor', async () => {
    const source = await member(2)
    const target = await member(1)
    const open = await pay({ customer: source.customer, store_credit: 1_500 })
    await shop.post('/v1/loyalty/accounts/merge', {
      source: source.account,
      target: target.account,
    })
    expect(await balanceOf(target.account)).toBe(1_500)
    expect(await balanceOf(source.account)).toBe(1_500) // answered with the survivor's
    await shop.post(`/v1/payments/${open.body.id}/cancel`)
    expect(await balanceOf(target.account)).toBe(3_000)
    const types = (await movesOf(target.account)).map(([type]) => type)
    expect(types.filter((type) => type === 'merge')).toHaveLength(2)
    const reversed = await reverse(source.redemption)
    expect(reversed.body.status).toBe('reversed')
    expect(await balanceOf(target.account)).toBe(2_000)
  })
})

describe('the liability', () => {
  it('is issued - spent - expired - reversed, and what all wallets hold together, now and then', async () => {
    const path = '/v1/loyalty/programs/prog_default/store_credit_liability'
    const { body } = await shop.get(path)
    const { rows } = await shop.owner.query(
      `select currency, sum(remaining)::int as held from credit
       where expires_at is null or expires_at > now() group by 1 order by 1`,
    )
    expect(
      body.currencies.map((one: { currency: string; outstanding: number }) => ({
        currency: one.currency,
        held: one.outstanding,
      })),
    ).toEqual(rows)
    for (const { outstanding, issued, spent, expired, reversed } of body.currencies) {
      expect(outstanding).toBe(issued - spent - expired - reversed)
      expect(issued).toBeGreaterThan(0)
    }
    await member(1)
    const then = await shop.get(`${path}?at=${body.asOf}`)
    expect(then.body.currencies).toEqual(body.currencies)
    expect((await shop.get(`${path}?at=2099-01-01`)).body.error.param).toBe('at')
  })
})

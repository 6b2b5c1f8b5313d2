import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'
import { ended, redeem } from '../support/redeem.ts'

let shop: Shop

beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.close())

const accounts = '/v1/loyalty/accounts'
const enrol = async (body: object = {}) => {
  const { status, body: account } = await shop.post(accounts, body)
  expect(status).toBe(201)
  return account
}
const eventsOf = async (account: string) => {
  const { rows } = await shop.owner.query(
    'select type, data, previous from event where object = $1 order by id',
    [account],
  )
  return rows
}
const grant = (account: string, amount: number) =>
  shop.post('/v1/loyalty/transactions', { account, amount, reason: 'goodwill_credit' })

describe('enrolling', () => {
  it('gives a member with nothing yet, as the document prints it', async () => {
    const member = await enrol({
      program: 'prog_default',
      customer: 'cust_new',
      metadata: { signup_channel: 'web' },
    })
    expect(member).toMatchObject({
      object: 'loyalty_account',
      customer: 'cust_new',
      status: 'active',
      balance: 0,
      lifetime_points: 0,
      metadata: { signup_channel: 'web' },
    })
  })

  it('refuses a second active account of a customer in a program with the id of the first', async () => {
    const first = await enrol({ customer: 'cust_twice' })
    const { status, body } = await shop.post(accounts, { customer: 'cust_twice' })
    expect([status, body.error.code, body.error.resource]).toEqual([
      409,
      'account_already_exists',
      first.id,
    ])
  })

  it('lets one of many at once through, and names it to the others', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => shop.post(accounts, { customer: 'cust_rush' })),
    )
    const won = answers.filter(({ status }) => status === 201)
    expect(won).toHaveLength(1)
    for (const { status, body } of answers.filter((one) => one !== won[0])) {
      expect([status, body.error.resource]).toEqual([409, won[0]?.body.id])
    }
  })

  it('answers a repeat with the same key with the same member, and refuses another body', async () => {
    const options = { idempotencyKey: 'enrol-once' }
    const first = await shop.post(accounts, { customer: 'cust_key' }, options)
    const again = await shop.post(accounts, { customer: 'cust_key' }, options)
    expect([again.status, again.body.id]).toEqual([200, first.body.id])
    expect(again.headers['idempotent-replayed']).toBe('true')
    const other = await shop.post(accounts, { customer: 'cust_other' }, options)
    expect([other.status, other.body.error.code]).toEqual([409, 'idempotency_key_reused'])
  })

  it('keeps no key of a refused request', async () => {
    const taken = await enrol({ customer: 'cust_freed' })
    const options = { idempotencyKey: 'enrol-later' }
    expect((await shop.post(accounts, { customer: 'cust_freed' }, options)).status).toBe(409)
    await shop.post(`${accounts}/${taken.id}/close`)
    expect((await shop.post(accounts, { customer: 'cust_freed' }, options)).status).toBe(201)
  })
})

describe('updating', () => {
  it('links a customer later, and their list finds the member', async () => {
    const { id } = await enrol()
    const linked = await shop.patch(`${accounts}/${id}`, { customer: 'cust_late' })
    expect([linked.status, linked.body.customer]).toEqual([200, 'cust_late'])
    const { body } = await shop.get(`${accounts}?program=prog_default&customer=cust_late&limit=1`)
    expect(body.data).toMatchObject([{ id }])
    expect(await eventsOf(id)).toMatchObject([
      { type: 'loyalty.account.created' },
      {
        type: 'loyalty.account.updated',
        data: { customer: 'cust_late' },
        previous: { customer: null },
      },
    ])
  })

  it('refuses a customer that has an active account already, with its id', async () => {
    const { id } = await enrol()
    const { status, body } = await shop.patch(`${accounts}/${id}`, { customer: 'cust_abc123' })
    expect([status, body.error.code, body.error.resource]).toEqual([
      409,
      'account_already_exists',
      'loy_9f2k',
    ])
    expect((await shop.get(`${accounts}/${id}`)).body.customer).toBeNull()
  })

  it('links one of many members that ask for one customer at once', async () => {
    const members = await Promise.all(Array.from({ length: 10 }, () => enrol()))
    const answers = await Promise.all(
      members.map(({ id }) => shop.patch(`${accounts}/${id}`, { customer: 'cust_fought' })),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(9)
  })

  it('sets metadata by key, removes by null, and leaves the rest', async () => {
    const { id } = await enrol({ metadata: { a: '1', b: '2' } })
    const { body } = await shop.patch(`${accounts}/${id}`, { metadata: { b: null, c: '3' } })
    expect(body.metadata).toEqual({ a: '1', c: '3' })
  })

  it('loses no key of two updates at once', async () => {
    const { id } = await enrol()
    const names = Array.from({ length: 20 }, (_, index) => `key${index}`)
    await Promise.all(
      names.map((name) => shop.patch(`${accounts}/${id}`, { metadata: { [name]: 'x' } })),
    )
    const { body } = await shop.get(`${accounts}/${id}`)
    expect(Object.keys(body.metadata).sort()).toEqual(names.sort())
  })

  it.each([
    [{ customer: '' }, 'customer'],
    [{ customer: 7 }, 'customer'],
    [{ metadata: { a: 1 } }, 'metadata.a'],
    [{ metadata: { ['k'.repeat(41)]: 'x' } }, undefined],
    [{ balance: 5 }, 'balance'],
    [{ status: 'closed' }, 'status'],
  ])('refuses %j', async (change, param) => {
    const { status, body } = await shop.patch(`${accounts}/loy_8sd2k1`, change)
    expect(status).toBe(400)
    if (param !== undefined) expect(body.error.param).toBe(param)
  })

  it('refuses a 51st metadata key', async () => {
    const fifty = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, 'x']))
    const { id } = await enrol({ metadata: fifty })
    const { status, body } = await shop.patch(`${accounts}/${id}`, { metadata: { more: 'x' } })
    expect([status, body.error.param]).toEqual([400, 'metadata'])
  })
})

describe('listing', () => {
  it('finds members by metadata, all pairs together', async () => {
    const { id } = await enrol({ metadata: { city: 'Graz', since: '2019' } })
    await enrol({ metadata: { city: 'Graz', since: '2020' } })
    const { body } = await shop.get(`${accounts}?metadata[city]=Graz&metadata[since]=2019`)
    expect(body.data).toMatchObject([{ id }])
    expect((await shop.get(`${accounts}?metadata[city]=Linz`)).body.data).toEqual([])
  })

  it.each(['active', 'closed'])(
    'goes on after an %s member who was merged since the page before',
    async (status) => {
      const club = `chess-${status}`
      const ids: string[] = []
      for (let made = 0; made < 4; made++) ids.push((await enrol({ metadata: { club } })).id)
      const [oldest, cursor, newer, survivor] = ids
      const closed = status === 'closed' ? [oldest, cursor, newer] : [newer]
      for (const id of closed) await shop.post(`${accounts}/${id}/close`)
      const merged = await shop.post(`${accounts}/merge`, { source: cursor, target: survivor })
      expect(merged.status).toBe(200)
      const list = `${accounts}?metadata[club]=${club}`
      const after = await shop.get(`${list}&starting_after=${cursor}`)
      expect(after.body.data.map(({ id }: { id: string }) => id)).toEqual(
        status === 'closed' ? [oldest] : [oldest, newer],
      )
      const before = await shop.get(`${list}&ending_before=${cursor}`)
      expect(before.body.data.map(({ id }: { id: string }) => id)).toEqual(
        status === 'closed' ? [survivor, newer] : [survivor],
      )
    },
  )

  it('puts the active one before closed ones, and pages through both without a gap', async () => {
    const ids: string[] = []
    for (let made = 0; made < 7; made++) {
      const { id } = await enrol({ customer: 'cust_pages' })
      ids.push(id)
      if (made < 6) await shop.post(`${accounts}/${id}/close`)
    }
    const active = ids.pop()
    const expected = [active, ...ids.reverse()]
    const all = await shop.get(`${accounts}?customer=cust_pages`)
    expect(all.body.data.map(({ id }: { id: string }) => id)).toEqual(expected)
    const first = await shop.get(`${accounts}?customer=cust_pages&limit=1`)
    expect(first.body).toMatchObject({ data: [{ id: active, status: 'active' }], has_more: true })

    const seen: string[] = []
    let after = ''
    for (;;) {
      const { body } = await shop.get(`${accounts}?customer=cust_pages&limit=2${after}`)
      seen.push(...body.data.map(({ id }: { id: string }) => id))
      if (!body.has_more) break
      after = `&starting_after=${seen.at(-1)}`
    }
    expect(seen).toEqual(expected)

    const back = await shop.get(
      `${accounts}?customer=cust_pages&limit=4&ending_before=${expected[3]}`,
    )
    expect(back.body.data.map(({ id }: { id: string }) => id)).toEqual(expected.slice(0, 3))
    const middle = await shop.get(
      `${accounts}?customer=cust_pages&limit=2&ending_before=${expected[3]}`,
    )
    expect(middle.body.data.map(({ id }: { id: string }) => id)).toEqual(expected.slice(1, 3))
    expect(middle.body.has_more).toBe(true)
    const last = await shop.get(`${accounts}?customer=cust_pages&starting_after=${expected.at(-1)}`)
    expect([last.status, last.body.data]).toEqual([200, []])
    for (const param of ['starting_after', 'ending_before']) {
      const lost = await shop.get(`${accounts}?customer=cust_pages&${param}=loy_nobody`)
      expect([lost.status, lost.body.error.code, lost.body.error.param]).toEqual([
        400,
        'parameter_invalid',
        param,
      ])
    }
  })
})

describe('closing', () => {
  it('keeps the history, refuses to earn or spend, and is undone by reopening', async () => {
    const { id } = await enrol({ customer: 'cust_leaves' })
    await grant(id, 900)
    const closed = await shop.post(`${accounts}/${id}/close`)
    expect(closed.body).toMatchObject({ status: 'closed', balance: 900, lifetime_points: 900 })
    const refused = await Promise.all([
      grant(id, 5),
      grant(id, -5),
      shop.post('/v1/loyalty/redemptions', { account: id, reward: 'rwd_fivecredit' }),
    ])
    for (const { status, body } of refused) {
      expect([status, body.error.code]).toEqual([422, 'account_closed'])
    }
    const history = await shop.get(`/v1/loyalty/transactions?account=${id}`)
    expect(history.body.data).toMatchObject([{ amount: 900 }])
    expect((await shop.post(`${accounts}/${id}/close`)).status).toBe(200)

    expect((await shop.post(`${accounts}/${id}/reopen`)).body).toMatchObject({ status: 'active' })
    expect((await grant(id, -900)).status).toBe(201)
    expect((await eventsOf(id)).map(({ type }) => type)).toEqual([
      'loyalty.account.created',
      'loyalty.account.closed',
      'loyalty.account.reopened',
    ])
  })

  it('leaves a pending redemption to its cancel, whose points return', async () => {
    const { id } = await enrol()
    await grant(id, 600)
    const redemption = await shop.post('/v1/loyalty/redemptions', {
      account: id,
      reward: 'rwd_fivecredit',
    })
    await shop.post(`${accounts}/${id}/close`)
    const canceled = await shop.post(`/v1/loyalty/redemptions/${redemption.body.id}/cancel`)
    expect(canceled.body.status).toBe('released')
    expect((await shop.get(`${accounts}/${id}`)).body.balance).toBe(600)
  })

  it('leaves a pending redemption to its payment, which applies it', async () => {
    const { id } = await enrol()
    await grant(id, 600)
    const redemption = await shop.post('/v1/loyalty/redemptions', {
      account: id,
      reward: 'rwd_fivecredit',
    })
    await shop.post(`${accounts}/${id}/close`)
    const payment = await shop.post('/v1/payments', {
      amount: 2_999,
      currency: 'eur',
      card: '4242424242424242',
      redemptions: [redemption.body.id],
    })
    expect(payment.body).toMatchObject({ status: 'completed', amount_charged: 2_499 })
    await expect
      .poll(
        async () => (await shop.get(`/v1/loyalty/redemptions/${redemption.body.id}`)).body.status,
      )
      .toBe('applied')
  })

  it('leaves a pending redemption to its deadline, and the points return to the closed account', async () => {
    const { id } = await enrol()
    await grant(id, 600)
    const { redemption } = await redeem(shop, { account: id, holdMs: 2_000 })
    await shop.post(`${accounts}/${id}/close`)
    expect((await shop.get(`${accounts}/${id}`)).body.balance).toBe(100)
    expect(await ended(shop, redemption)).toMatchObject({ status: 'released' })
    expect((await shop.get(`${accounts}/${id}`)).body).toMatchObject({
      status: 'closed',
      balance: 600,
    })
    const rows = await shop.get(`/v1/loyalty/transactions?account=${id}&type=release`)
    expect(rows.body.data).toMatchObject([{ amount: 500, balance_after: 600 }])
    expect((await shop.get(`/v1/loyalty/redemptions/${redemption}`)).body).toMatchObject({
      status: 'released',
      reason: 'expired',
    })
  })

  it('still lets points expire', async () => {
    const { id } = await enrol()
    await shop.post('/v1/loyalty/transactions', {
      account: id,
      amount: 40,
      reason: 'short-lived',
      expires_at: new Date(Date.now() + 1_000).toISOString(),
    })
    await shop.post(`${accounts}/${id}/close`)
    await expect.poll(async () => (await shop.get(`${accounts}/${id}`)).body.balance).toBe(0)
  })

  it('is refused to reopen beside another active account of the customer', async () => {
    const { id } = await enrol({ customer: 'cust_returns' })
    await shop.post(`${accounts}/${id}/close`)
    const other = await enrol({ customer: 'cust_returns' })
    const { status, body } = await shop.post(`${accounts}/${id}/reopen`)
    expect([status, body.error.code, body.error.resource]).toEqual([
      409,
      'account_already_exists',
      other.id,
    ])
  })

  it('is not repeated by a late repeat of its key', async () => {
    const { id } = await enrol()
    const options = { idempotencyKey: 'close-once' }
    await shop.post(`${accounts}/${id}/close`, {}, options)
    await shop.post(`${accounts}/${id}/reopen`)
    const again = await shop.post(`${accounts}/${id}/close`, {}, options)
    expect([again.status, again.body.status]).toEqual([200, 'active'])
  })
})

it('leaves the books in order', async () => {
  expect(await shop.reconcile()).toEqual([])
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const enrol = async () => (await shop.post('/v1/loyalty/accounts', {})).body.id as string
const grant = (account: string, amount: number, more: object = {}) =>
  shop.post('/v1/loyalty/transactions', { account, amount, reason: 'gift', ...more })
const put = (body: object, path = '/settings', key = shop.keys.secretKey) =>
  shop.put(path, body, key)

describe.each(['', '/v1'])('a wallet at %s/users/{id}/wallet', (base) => {
  it('shows points, their value, the tier, what expires and credits', async () => {
    const user = await enrol()
    await grant(user, 500)
    await grant(user, 20, { expires_at: '2099-01-01T00:00:00Z' })
    const { status, body } = await shop.get(`${base}/users/${user}/wallet`)
    expect(status).toBe(200)
    expect(body).toEqual({
      object: 'wallet',
      user,
      status: 'active',
      points: 520,
      pending: 0,
      currency: { name: 'Points', code: 'EUR', decimals: 0 },
      value: { amount: 520, currency: 'EUR', pointsCurrencyValue: '0.01' },
      tier: null,
      expiring: [{ points: 20, expires_at: '2099-01-01T00:00:00.000Z' }],
      credits: [],
      livemode: false,
    })
  })

  it('shows what store credit is left, by currency', async () => {
    const user = await enrol()
    await grant(user, 500)
    const { body: reward } = await shop.post('/v1/loyalty/rewards', {
      name: 'Five euros of credit',
      type: 'store_credit',
      cost: 500,
      value: { amount: 500, currency: 'EUR' },
    })
    await shop.post('/v1/loyalty/redemptions', { account: user, reward: reward.id })
    const { body } = await shop.get(`${base}/users/${user}/wallet`)
    expect(body).toMatchObject({ points: 0, credits: [{ amount: 500, currency: 'EUR' }] })
  })

  it('is found by an external id, and after a merge is the survivor’s', async () => {
    const [user, survivor] = [await enrol(), await enrol()]
    const external_id = `till${base}/${user}`
    await shop.post(`/v1/loyalty/accounts/${user}/identities`, { kind: 'external_id', external_id })
    await grant(user, 7)
    const path = `${base}/users/${encodeURIComponent(external_id)}/wallet`
    expect((await shop.get(path)).body).toMatchObject({ user, points: 7 })
    await shop.post('/v1/loyalty/accounts/merge', { source: user, target: survivor })
    expect((await shop.get(path)).body).toMatchObject({ user: survivor, points: 7 })
    const byId = await shop.get(`${base}/users/${user}/wallet`)
    expect(byId.body).toMatchObject({ user: survivor, status: 'active', points: 7 })
  })

  it('is 404 of a user that nobody is', async () => {
    for (const user of ['loy_nobody', 'nobody', 'x'.repeat(200), '%00', "'"]) {
      const { status, body } = await shop.get(`${base}/users/${user}/wallet`)
      expect([status, body.error.code]).toEqual([404, 'resource_missing'])
    }
  })
})

describe('what a point is worth', () => {
  it('follows the setting as soon as it is put, and the program once it is removed', async () => {
    const user = await enrol()
    await grant(user, 333)
    const valueNow = async () => (await shop.get(`/users/${user}/wallet`)).body.value
    expect((await put({ pointsCurrencyValue: 0.015 })).status).toBe(200)
    expect(await valueNow()).toEqual({
      amount: 499, // 4.995, rounded down
      currency: 'EUR',
      pointsCurrencyValue: '0.015',
    })
    await put({ pointsCurrencyValue: null })
    expect(await valueNow()).toMatchObject({ amount: 333, pointsCurrencyValue: '0.01' })
  })

  it('is nothing where the balance is below zero', async () => {
    const user = await enrol()
    const earned = (await grant(user, 100)).body
    await grant(user, -100)
    await shop.post(`/v1/loyalty/transactions/${earned.id}/reverse`)
    const { body } = await shop.get(`/users/${user}/wallet`)
    expect([body.points, body.value.amount]).toEqual([-100, 0])
  })

  it.each([
    // value of a point, asked, points, amount
    ['0.01', 'points=500', 500, 500],
    ['0.01', 'amount=500', 500, 500],
    ['0.015', 'points=333', 333, 499],
    ['0.015', 'amount=499', 333, 499],
    ['0.015', 'amount=500', 334, 500],
    ['0.003', 'points=1', 1, 0],
    ['0.003', 'amount=1', 4, 1],
    ['0.1', 'points=3', 3, 30],
    ['2.5', 'amount=1', 1, 1],
  ])('at %s converts %s to %d points and %d minor units', async (rate, asked, points, amount) => {
    await put({ pointsCurrencyValue: rate })
    for (const base of ['', '/v1']) {
      const { status, body } = await shop.get(`${base}/users/loy_9f2k/conversion?${asked}`)
      expect(status).toBe(200)
      expect(body).toMatchObject({
        object: 'conversion',
        points,
        amount,
        value: { pointsCurrencyValue: rate, currency: 'EUR' },
        rounding: asked.startsWith('points') ? 'down' : 'up',
      })
    }
  })

  it.each([
    ['HUF', 50_000],
    ['IQD', 500_000],
    ['JPY', 500],
  ])('500 points at 1 %s are %i of its minor units', async (code, amount) => {
    await put({ pointsCurrencyValue: 1 })
    const program = (await shop.post('/v1/loyalty/programs', { name: code, currency: { code } }))
      .body.id as string
    const user = (await shop.post('/v1/loyalty/accounts', { program })).body.id as string
    await grant(user, 500)
    const asked = async (query: string) =>
      (await shop.get(`/users/${user}/conversion?${query}`)).body
    expect(await asked('points=500')).toMatchObject({ points: 500, amount })
    expect(await asked(`amount=${amount}`)).toMatchObject({ points: 500, amount })
    expect((await shop.get(`/users/${user}/wallet`)).body.value).toMatchObject({ amount })
  })

  it('of a fortune is shown as far as a number goes, and refused where it is asked for', async () => {
    await put({ pointsCurrencyValue: 999_999_999_999 })
    const user = await enrol()
    await grant(user, 10_000_000_000)
    const wallet = await shop.get(`/users/${user}/wallet`)
    expect([wallet.status, wallet.body.value.amount]).toEqual([200, Number.MAX_SAFE_INTEGER])
    const { status, body } = await shop.get(`/users/${user}/conversion?points=10000000000`)
    expect([status, body.error.param]).toEqual([400, 'points'])
  })

  it('says whether the member has so many points', async () => {
    const user = await enrol()
    await grant(user, 100)
    await put({ pointsCurrencyValue: 0.01 })
    const affordable = async (points: number) =>
      (await shop.get(`/users/${user}/conversion?points=${points}`)).body.affordable
    expect([await affordable(100), await affordable(101)]).toEqual([true, false])
  })

  it.each(['', '?points=1&amount=1', '?points=0', '?points=-1', '?amount=1.5', '?points=1e3'])(
    'refuses to convert%s',
    async (query) => {
      const { status } = await shop.get(`/users/loy_9f2k/conversion${query}`)
      expect(status).toBe(400)
    },
  )

  it('refuses parts of a point that the program does not have', async () => {
    const { status, body } = await shop.get('/users/loy_9f2k/conversion?points=1.5')
    expect([status, body.error.code]).toEqual([422, 'invalid_precision'])
  })
})

describe('settings', () => {
  it('merge by key, at both paths, and null removes one', async () => {
    await put({ a: 'text', b: 2.5, c: true }, '/v1/settings')
    const merged = await put({ a: null, d: '' })
    expect(merged.body).toMatchObject({ b: 2.5, c: true, d: '' })
    expect(merged.body).not.toHaveProperty('a')
    for (const path of ['/settings', '/v1/settings']) {
      expect((await shop.get(path)).body).toEqual(merged.body)
    }
  })

  it('keep a decimal exactly as it was put', async () => {
    for (const value of [0.01, 0.1, '0.010', '0.000000000001']) {
      await put({ pointsCurrencyValue: value })
      expect((await shop.get('/settings')).body.pointsCurrencyValue).toBe(value)
    }
  })

  it('lose no key where many are put at once', async () => {
    const keys = Array.from({ length: 30 }, (_, n) => `k${n}`)
    await Promise.all(keys.map((key) => put({ [key]: key })))
    const { body } = await shop.get('/settings')
    expect(keys.filter((key) => body[key] !== key)).toEqual([])
  })

  it.each([
    [{ pointsCurrencyValue: 0 }, 'pointsCurrencyValue'],
    [{ pointsCurrencyValue: -0.01 }, 'pointsCurrencyValue'],
    [{ pointsCurrencyValue: 'a cent' }, 'pointsCurrencyValue'],
    [{ pointsCurrencyValue: true }, 'pointsCurrencyValue'],
    [{ pointsCurrencyValue: 1e-30 }, 'pointsCurrencyValue'],
    [{ strict: 'true' }, 'strict'],
    [{ nested: { a: 1 } }, 'nested'],
    [{ list: [1] }, 'list'],
    [{ long: 'x'.repeat(1_001) }, 'long'],
  ])('refuse %j', async (change, param) => {
    const before = (await shop.get('/settings')).body
    const { status, body } = await put(change)
    expect([status, body.error.code, body.error.param]).toEqual([400, 'parameter_invalid', param])
    expect((await shop.get('/settings')).body).toEqual(before)
  })

  it('hold no more than 200 keys, and refuse the rest whole', async () => {
    const many = (prefix: string, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`${prefix}${n}`, n]))
    const before = (await shop.get('/settings')).body
    const room = 200 - Object.keys(before).length
    expect((await put(many('full', room))).status).toBe(200)
    const { status, body } = await put({ oneMore: 1, full0: 'changed' })
    expect([status, body.error.code]).toEqual([400, 'parameter_invalid'])
    expect((await shop.get('/settings')).body).toMatchObject({ full0: 0 })
    expect((await put({ full0: null, oneMore: 1 })).status).toBe(200)
  })

  it('are a workspace’s own', async () => {
    const stranger = await shop.stranger()
    expect((await shop.get('/settings', stranger)).body).toEqual({})
    await put({ theirs: true }, '/settings', stranger)
    expect((await shop.get('/settings')).body).not.toHaveProperty('theirs')
  })
})

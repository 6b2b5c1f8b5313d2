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

const DEFAULT = '/v1/loyalty/programs/prog_default'
const PROGRAMS = '/v1/loyalty/programs'

describe('the documents’ snippets', () => {
  it('define a currency', async () => {
    const { status, body } = await shop.patch(DEFAULT, {
      currency: { name: 'Stars', pointValue: 1, rounding: 'down', decimals: 0 },
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      id: 'prog_default',
      object: 'loyalty_program',
      currency: { name: 'Stars', code: 'EUR', pointValue: 1, rounding: 'down', decimals: 0 },
    })
  })

  it('set an expiry policy; POST is an alias of PATCH', async () => {
    const expiry = { mode: 'rolling', months: 12, resetOnActivity: true, warnDaysBefore: 30 }
    const { status, body } = await shop.post(DEFAULT, { expiry })
    expect(status).toBe(200)
    expect(body.expiry).toEqual({ ...expiry, fixedDate: null, timeZone: 'UTC', roundTo: 'day' })
    await shop.post(DEFAULT, {
      expiry: { mode: 'never', months: null, resetOnActivity: false, warnDaysBefore: null },
    })
  })
})

describe('a program', () => {
  it('is created with the contract’s defaults, retrieved and listed', async () => {
    const { status, body } = await shop.post(PROGRAMS, { name: 'Miles' })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      currency: { code: 'EUR', pointValue: 1, rounding: 'down', decimals: 0 },
      expiry: { mode: 'never', resetOnActivity: false, timeZone: 'UTC', roundTo: 'day' },
      clawback: { allow_negative: true },
      auto_enroll: false,
      redemption: {
        holdMinutes: null,
        latePayment: 'flag',
        expiredReturn: 'restore',
        graceDays: 30,
      },
      tierConfig: null,
    })
    expect((await shop.get(`${PROGRAMS}/${body.id}`)).body).toEqual(body)
    expect((await shop.get(PROGRAMS)).body.data).toContainEqual(body)
  })

  it('keeps fields that an update does not name, in nested objects as well', async () => {
    const { body } = await shop.post(PROGRAMS, {
      name: 'Miles',
      currency: { name: 'Miles', pointValue: 0.5 },
      expiry: { mode: 'rolling', months: 6 },
      metadata: { a: '1', b: '2' },
    })
    const after = await shop.patch(`${PROGRAMS}/${body.id}`, {
      currency: { rounding: 'nearest' },
      expiry: { roundTo: 'month' },
      metadata: { a: null },
    })
    expect(after.body).toMatchObject({
      name: 'Miles',
      currency: { name: 'Miles', pointValue: 0.5, rounding: 'nearest' },
      expiry: { mode: 'rolling', months: 6, roundTo: 'month' },
      metadata: { b: '2' },
    })
    expect((await shop.patch(`${PROGRAMS}/${body.id}`, {})).body).toEqual(after.body)
  })

  it('is created once for a key, and another body under it is refused', async () => {
    const first = await shop.post(PROGRAMS, { name: 'Once' }, { idempotencyKey: 'once' })
    const again = await shop.post(PROGRAMS, { name: 'Once' }, { idempotencyKey: 'once' })
    expect([first.status, again.status, again.body.id]).toEqual([201, 200, first.body.id])
    const other = await shop.post(PROGRAMS, { name: 'Twice' }, { idempotencyKey: 'once' })
    expect([other.status, other.body.error.code]).toEqual([409, 'idempotency_key_reused'])
  })

  it('changes its decimals until it has a transaction, its rewards keep what they cost', async () => {
    const { body } = await shop.post(PROGRAMS, { name: 'Fine' })
    const path = `${PROGRAMS}/${body.id}`
    const reward = await shop.post('/v1/loyalty/rewards', {
      program: body.id,
      name: 'r',
      type: 'discount_amount',
      cost: 12,
      value: { amount: 1, currency: 'EUR' },
    })
    expect((await shop.patch(path, { currency: { decimals: 2 } })).body.currency.decimals).toBe(2)
    const { rows } = await shop.owner.query('select cost from reward where id = $1', [
      reward.body.id,
    ])
    expect(rows[0].cost).toBe(1200)
    const account = await shop.post('/v1/loyalty/accounts', { program: body.id })
    const credit = { account: account.body.id, amount: 1.25, reason: 'x' }
    expect((await shop.post('/v1/loyalty/transactions', credit)).body.amount).toBe(1.25)
    const refused = await shop.patch(path, { currency: { decimals: 3 } })
    expect([refused.status, refused.body.error.code]).toEqual([422, 'decimals_in_use'])
    expect((await shop.patch(path, { currency: { decimals: 2, name: 'Same' } })).status).toBe(200)
  })
})

describe('a setting out of range', () => {
  it.each<[object, string, string?]>([
    [{ currency: { decimals: 5 } }, 'currency.decimals'],
    [{ currency: { decimals: -1 } }, 'currency.decimals'],
    [{ currency: { decimals: 0.5 } }, 'currency.decimals'],
    [{ currency: { pointValue: 0 } }, 'currency.pointValue'],
    [{ currency: { pointValue: -1 } }, 'currency.pointValue'],
    [{ currency: { pointValue: 1e9 } }, 'currency.pointValue'],
    [{ currency: { pointValue: 0.0000001 } }, 'currency.pointValue'],
    [{ currency: { pointValue: '1' } }, 'currency.pointValue'],
    [{ currency: { rounding: 'sideways' } }, 'currency.rounding'],
    [{ currency: { code: 'XXXX' } }, 'currency.code'],
    [{ currency: { name: '' } }, 'currency.name'],
    [{ currency: { colour: 'red' } }, 'currency.colour', 'parameter_unknown'],
    [{ expiry: { mode: 'sometimes' } }, 'expiry.mode'],
    [{ expiry: { mode: 'rolling' } }, 'expiry.months', 'parameter_missing'],
    [{ expiry: { mode: 'fixed' } }, 'expiry.fixedDate', 'parameter_missing'],
    [{ expiry: { months: 0 } }, 'expiry.months'],
    [{ expiry: { months: 1.5 } }, 'expiry.months'],
    [{ expiry: { months: 1201 } }, 'expiry.months'],
    [{ expiry: { fixedDate: '02-30' } }, 'expiry.fixedDate'],
    [{ expiry: { fixedDate: '13-01' } }, 'expiry.fixedDate'],
    [{ expiry: { fixedDate: '1-1' } }, 'expiry.fixedDate'],
    [{ expiry: { warnDaysBefore: 0 } }, 'expiry.warnDaysBefore'],
    [{ expiry: { warnDaysBefore: 366 } }, 'expiry.warnDaysBefore'],
    [{ expiry: { timeZone: 'Mars/Base' } }, 'expiry.timeZone'],
    [{ expiry: { timeZone: '+02:00' } }, 'expiry.timeZone'],
    [{ expiry: { roundTo: 'year' } }, 'expiry.roundTo'],
    [{ expiry: { resetOnActivity: 'yes' } }, 'expiry.resetOnActivity'],
    [{ redemption: { graceDays: -1 } }, 'redemption.graceDays'],
    [{ redemption: { holdMinutes: 0 } }, 'redemption.holdMinutes'],
    [{ redemption: { holdMinutes: 1e-320 } }, 'redemption.holdMinutes'],
    [{ redemption: { holdMinutes: 0.009 } }, 'redemption.holdMinutes'],
    [{ clawback: { allow_negative: 1 } }, 'clawback.allow_negative'],
    [
      { tierConfig: { tiers: [{ name: 'a', rank: 1, threshold: -1 }] } },
      'tierConfig.tiers.0.threshold',
    ],
    [
      {
        tierConfig: {
          tiers: [
            { name: 'gold', rank: 2, threshold: 100 },
            { name: 'silver', rank: 1, threshold: 500 },
          ],
        },
      },
      'tierConfig.tiers',
    ],
  ])(
    '%j is refused by its name and changes nothing',
    async (body, param, code = 'parameter_invalid') => {
      const before = (await shop.get(DEFAULT)).body
      const { status, body: answer } = await shop.patch(DEFAULT, body)
      expect([status, answer.error.code, answer.error.param]).toEqual([400, code, param])
      expect((await shop.get(DEFAULT)).body).toEqual(before)
    },
  )
})

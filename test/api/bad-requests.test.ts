import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Shop } from './shop.ts'

// Issue: each of these gets its row of the error table and changes nothing.

let shop: Shop
let redemption: string
let payment: string

beforeAll(async () => {
  shop = await openShop({ worker: false }) // nothing moves but what a request moves
  const begun = await shop.post('/v1/loyalty/redemptions', {
    account: 'loy_9f2k',
    reward: 'rwd_5eur_off',
  })
  redemption = begun.body.id
  payment = (await shop.post('/v1/payments', { amount: 2_999, currency: 'EUR' })).body.id
})
afterAll(() => shop.close())

const TABLES = [
  'account',
  'ptx',
  'lot',
  'allocation',
  'reward',
  'redemption',
  'redemption_message',
  'payment',
  'inbox',
  'event',
  'idempotency_key',
]

/** Everything the database holds, as one hash a table. */
async function contents(): Promise<Record<string, string>> {
  const hashes = TABLES.map(async (table) => {
    const { rows } = await shop.owner.query(
      `select coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as hash from ${table} t`,
    )
    return [table, rows[0].hash] as const
  })
  return Object.fromEntries(await Promise.all(hashes))
}

async function refusesWithoutATrace(
  sent: () => request.Test,
  status: number,
  code: string,
  param?: string,
) {
  const before = await contents()
  const answer = await sent()
  expect([answer.status, answer.body.error?.code, answer.body.error?.param]).toEqual([
    status,
    code,
    param,
  ])
  expect(await contents()).toEqual(before)
}

const redeem = { account: 'loy_8sd2k1', reward: 'rwd_fivecredit' }
const pay = { amount: 2_999, currency: 'EUR' }
const adjust = { account: 'loy_8sd2k1', amount: 5, reason: 'goodwill' }
const offer = {
  name: 'Five off',
  type: 'discount_amount',
  cost: 500,
  value: { amount: 500, currency: 'EUR' },
}
const REDEMPTIONS = '/v1/loyalty/redemptions'
const REWARDS = '/v1/loyalty/rewards'
const TRANSACTIONS = '/v1/loyalty/transactions'
const PAYMENTS = '/v1/payments'
const ACCOUNTS = '/v1/loyalty/accounts'
const QUOTES = '/v1/loyalty/quotes'

describe('a body', () => {
  const cases: readonly [string, string, object, number, string, string | undefined][] = [
    ['an unknown field', REDEMPTIONS, { ...redeem, foo: 1 }, 400, 'parameter_unknown', 'foo'],
    ['no account', REDEMPTIONS, { reward: redeem.reward }, 400, 'parameter_missing', 'account'],
    [
      'an account that is a number',
      REDEMPTIONS,
      { ...redeem, account: 5 },
      400,
      'parameter_invalid',
      'account',
    ],
    [
      'an unknown account',
      REDEMPTIONS,
      { ...redeem, account: 'loy_nobody' },
      404,
      'resource_missing',
      'account',
    ],
    [
      'an unknown reward',
      REDEMPTIONS,
      { ...redeem, reward: 'rwd_nothing' },
      404,
      'resource_missing',
      'reward',
    ],
    [
      'a quantity of zero',
      REDEMPTIONS,
      { ...redeem, quantity: 0 },
      400,
      'parameter_invalid',
      'quantity',
    ],
    [
      'a quantity and a half',
      REDEMPTIONS,
      { ...redeem, quantity: 1.5 },
      400,
      'parameter_invalid',
      'quantity',
    ],
    [
      'half an address',
      REDEMPTIONS,
      { ...redeem, shipping: { name: 'M' } },
      400,
      'parameter_missing',
      'shipping.line1',
    ],
    [
      'more points than there are',
      REDEMPTIONS,
      { ...redeem, quantity: 11 },
      422,
      'insufficient_points',
      undefined,
    ],
    ['negative money', PAYMENTS, { ...pay, amount: -1 }, 400, 'parameter_invalid', 'amount'],
    ['fractional money', PAYMENTS, { ...pay, amount: 29.99 }, 400, 'parameter_invalid', 'amount'],
    ['money as a text', PAYMENTS, { ...pay, amount: '2999' }, 400, 'parameter_invalid', 'amount'],
    ['huge money', PAYMENTS, { ...pay, amount: 1e15 }, 400, 'parameter_invalid', 'amount'],
    [
      'no such currency',
      PAYMENTS,
      { ...pay, currency: 'XXQ' },
      400,
      'parameter_invalid',
      'currency',
    ],
    [
      'a card nobody knows',
      PAYMENTS,
      { ...pay, card: '4111111111111111' },
      400,
      'parameter_invalid',
      'card',
    ],
    [
      'a card that is no number',
      PAYMENTS,
      { ...pay, card: 'visa' },
      400,
      'parameter_invalid',
      'card',
    ],
    [
      'an unknown redemption',
      PAYMENTS,
      { ...pay, redemptions: ['rdm_nothing'] },
      404,
      'resource_missing',
      'redemptions',
    ],
    [
      'an unknown code',
      PAYMENTS,
      { ...pay, discounts: [{ code: 'VINR-NO' }] },
      404,
      'resource_missing',
      'discounts',
    ],
    [
      'a discount of two kinds',
      PAYMENTS,
      { ...pay, discounts: [{ code: 'A', redemption: 'rdm_1' }] },
      400,
      'parameter_unknown',
      'discounts.0.code',
    ],
    [
      'no points at all',
      TRANSACTIONS,
      { ...adjust, amount: 0 },
      400,
      'parameter_invalid',
      'amount',
    ],
    [
      'points that round to nothing',
      TRANSACTIONS,
      { ...adjust, amount: 0.4 },
      422,
      'invalid_precision',
      'amount',
    ],
    [
      'points beyond any movement',
      TRANSACTIONS,
      { ...adjust, amount: 1e18 },
      400,
      'parameter_invalid',
      'amount',
    ],
    [
      'a debit below zero',
      TRANSACTIONS,
      { ...adjust, amount: -1_000_000 },
      422,
      'insufficient_points',
      undefined,
    ],
    [
      'no reason',
      TRANSACTIONS,
      { account: adjust.account, amount: 5 },
      400,
      'parameter_missing',
      'reason',
    ],
    [
      'a credit that expired yesterday',
      TRANSACTIONS,
      { ...adjust, expires_at: '2020-01-01T00:00:00Z' },
      400,
      'parameter_invalid',
      'expires_at',
    ],
    [
      'a debit that expires',
      TRANSACTIONS,
      { ...adjust, amount: -5, expires_at: '2099-01-01T00:00:00Z' },
      400,
      'parameter_invalid',
      'expires_at',
    ],
    [
      'an earning by hand',
      TRANSACTIONS,
      { ...adjust, type: 'redeem' },
      400,
      'parameter_invalid',
      'type',
    ],
    [
      'a value of another type',
      REWARDS,
      { ...offer, value: { percent: 10 } },
      400,
      'parameter_invalid',
      'value',
    ],
    [
      'a value without its currency',
      REWARDS,
      { ...offer, value: { amount: 500 } },
      400,
      'parameter_missing',
      'value.currency',
    ],
    [
      'a percentage above 100',
      REWARDS,
      { ...offer, type: 'discount_percent', value: { percent: 101 } },
      400,
      'parameter_invalid',
      'value.percent',
    ],
    ['a free reward', REWARDS, { ...offer, cost: 0 }, 400, 'parameter_invalid', 'cost'],
    [
      'a cost too fine for the program',
      REWARDS,
      { ...offer, cost: 0.5 },
      422,
      'invalid_precision',
      'cost',
    ],
    [
      'an end before the start',
      REWARDS,
      { ...offer, starts_at: '2030-01-02T00:00:00Z', ends_at: '2030-01-01T00:00:00Z' },
      400,
      'parameter_invalid',
      'ends_at',
    ],
    [
      'a tier the program lacks',
      REWARDS,
      { ...offer, min_tier: 'gold' },
      400,
      'parameter_invalid',
      'min_tier',
    ],
    [
      'a program that is not there',
      REWARDS,
      { ...offer, program: 'prog_nothing' },
      404,
      'resource_missing',
      'program',
    ],
    [
      'a program that is not there',
      ACCOUNTS,
      { program: 'prog_nothing' },
      404,
      'resource_missing',
      'program',
    ],
    [
      'a customer with a space',
      ACCOUNTS,
      { customer: 'cust 1' },
      400,
      'parameter_invalid',
      'customer',
    ],
    [
      'a customer enrolled already',
      ACCOUNTS,
      { customer: 'cust_abc123' },
      409,
      'account_already_exists',
      'customer',
    ],
    ['no reward', QUOTES, { account: redeem.account }, 400, 'parameter_missing', 'reward'],
  ]

  it.each(cases)('with %s to %s', async (_what, path, body, status, code, param) => {
    await refusesWithoutATrace(() => shop.post(path, body), status, code, param)
  })

  it('that is malformed, too large, or no JSON', async () => {
    const raw = (type: string, body: string) => () =>
      shop.post(REDEMPTIONS).set('Content-Type', type).send(body)
    const json = 'application/json'
    await refusesWithoutATrace(raw(json, '{"account":'), 400, 'invalid_json')
    await refusesWithoutATrace(
      raw(json, JSON.stringify({ ...redeem, foo: 'x'.repeat(10_000_000) })),
      413,
      'body_too_large',
    )
    await refusesWithoutATrace(
      raw('text/plain', JSON.stringify(redeem)),
      415,
      'unsupported_media_type',
    )
  })

  it('of insufficient points says what is missing', async () => {
    const { body } = await shop.post(REDEMPTIONS, { ...redeem, quantity: 11 })
    expect(body.error).toMatchObject({ required: 5_500, available: 5_000, missing: 500 })
  })
})

describe('a verb', () => {
  const cases: readonly [string, () => [string, object], number, string, string | undefined][] = [
    [
      'extend by nothing',
      () => [`${REDEMPTIONS}/${redemption}/extend`, { minutes: 0 }],
      400,
      'parameter_invalid',
      'minutes',
    ],
    [
      'extend by more than a day',
      () => [`${REDEMPTIONS}/${redemption}/extend`, { minutes: 1_441 }],
      400,
      'parameter_invalid',
      'minutes',
    ],
    [
      'extend without minutes',
      () => [`${REDEMPTIONS}/${redemption}/extend`, {}],
      400,
      'parameter_missing',
      'minutes',
    ],
    [
      'cancel with a field',
      () => [`${REDEMPTIONS}/${redemption}/cancel`, { reason: 'x' }],
      400,
      'parameter_unknown',
      'reason',
    ],
    [
      'cancel of nothing',
      () => [`${REDEMPTIONS}/rdm_nothing/cancel`, {}],
      404,
      'resource_missing',
      undefined,
    ],
    [
      'reverse without a reason',
      () => [`${REDEMPTIONS}/${redemption}/reverse`, {}],
      400,
      'parameter_missing',
      'reason',
    ],
    [
      'reverse of half a point',
      () => [`${REDEMPTIONS}/${redemption}/reverse`, { reason: 'x', points: 0.5 }],
      422,
      'invalid_precision',
      'points',
    ],
    [
      'confirm without a card',
      () => [`${PAYMENTS}/${payment}/confirm`, {}],
      400,
      'parameter_missing',
      'card',
    ],
    [
      'confirm of nothing',
      () => [`${PAYMENTS}/pay_nothing/confirm`, {}],
      404,
      'resource_missing',
      undefined,
    ],
    [
      'cancel of no payment',
      () => [`${PAYMENTS}/pay_nothing/cancel`, {}],
      404,
      'resource_missing',
      undefined,
    ],
  ]

  it.each(cases)('%s', async (_what, sent, status, code, param) => {
    await refusesWithoutATrace(() => shop.post(...sent()), status, code, param)
  })
})

describe('a key', () => {
  const create = () => request(shop.app).post(REDEMPTIONS)

  it('that is missing, unknown or expired', async () => {
    const expired = 'sk_test_expired0expired0expired0'
    await shop.owner.query(
      `insert into api_key (workspace, id, hash, kind, last4, expires_at)
       values ($1, 'key_expired', encode(sha256(convert_to($2, 'UTF8')), 'hex'), 'secret', 'red0', now() - interval '1 second')`,
      [shop.workspace, expired],
    )
    await refusesWithoutATrace(() => create().send(redeem), 401, 'invalid_api_key')
    await refusesWithoutATrace(
      () => create().set('X-Api-Key', 'sk_test_nobody0nobody0').send(redeem),
      401,
      'invalid_api_key',
    )
    await refusesWithoutATrace(
      () => create().set('X-Api-Key', expired).send(redeem),
      401,
      'invalid_api_key',
    )
  })

  it('of idempotency that is too long', async () => {
    await refusesWithoutATrace(
      () => shop.post(REDEMPTIONS, redeem, { idempotencyKey: 'k'.repeat(300) }),
      400,
      'parameter_invalid',
      'Idempotency-Key',
    )
  })

  it('of idempotency used before with another body, for each kind of object', async () => {
    const creates: readonly [string, object, object][] = [
      [REDEMPTIONS, redeem, { ...redeem, quantity: 2 }],
      [PAYMENTS, pay, { ...pay, amount: 3_000 }],
      [TRANSACTIONS, adjust, { ...adjust, amount: 6 }],
      [ACCOUNTS, {}, { metadata: { a: 'b' } }],
      [REWARDS, offer, { ...offer, cost: 501 }],
    ]
    for (const [path, body, other] of creates) {
      const first = await shop.post(path, body, { idempotencyKey: 'once' })
      const again = await shop.post(path, body, { idempotencyKey: 'once' })
      expect([path, first.status, again.status]).toEqual([path, 201, 200])
      expect([again.headers['idempotent-replayed'], again.body.id]).toEqual(['true', first.body.id])
      await refusesWithoutATrace(
        () => shop.post(path, other, { idempotencyKey: 'once' }),
        409,
        'idempotency_key_reused',
      )
    }
  })
})

describe('whatever was refused', () => {
  it('left no secret, card or name in the log', () => {
    const log = shop.lines.join('')
    expect(log).not.toMatch(/4111111111111111|VINR-NO|goodwill/)
    for (const secret of Object.values(shop.keys)) expect(log).not.toContain(secret)
    expect(shop.lines.some((line) => JSON.parse(line).level >= 50)).toBe(false)
  })
})

import { readFileSync } from 'node:fs'
import { Registry } from 'prom-client'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { productApp } from '../../api/server/product.ts'
import { isGiftCode } from '../../domain/gift-card.ts'
import { createLog } from '../../process/log.ts'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const gift = {
  name: 'Card',
  type: 'gift_card',
  cost: 10,
  value: { amount: 2_500, currency: 'EUR' },
}

async function pool(codes: string[] = [], more: object = {}) {
  const { body } = await shop.post('/v1/loyalty/code_pools', { name: 'Cards', ...more })
  if (codes.length > 0) await upload(body.id, codes)
  return body.id as string
}
const upload = (id: string, codes: string[], idempotencyKey?: string) =>
  shop.post(
    `/v1/loyalty/code_pools/${id}/codes`,
    { codes },
    idempotencyKey === undefined ? {} : { idempotencyKey },
  )
const counts = async (id: string) => {
  const { available, given, void: voided } = (await shop.get(`/v1/loyalty/code_pools/${id}`)).body
  return [available, given, voided]
}
async function reward(more: object): Promise<string> {
  const { body, status } = await shop.post('/v1/loyalty/rewards', { ...gift, ...more })
  expect([status, body]).toEqual([201, expect.anything()])
  return body.id
}
const redeem = (of: string, more: object = {}, idempotencyKey?: string) =>
  shop.post(
    '/v1/loyalty/redemptions',
    { account: 'loy_9f2k', reward: of, ...more },
    idempotencyKey === undefined ? {} : { idempotencyKey },
  )

let made = 0
const codesOf = (count: number) =>
  Array.from({ length: count }, () => `CARD-${(++made).toString().padStart(6, '0')}`)

describe('an upload of codes', () => {
  it('is given in its order', async () => {
    const codes = codesOf(20)
    const id = await pool(codes)
    const of = await reward({ codes: { pool: id } })
    const given: string[] = []
    for (const _ of codes) given.push((await redeem(of)).body.gift_cards[0].code)
    expect(given).toEqual(codes)
  })

  it('reports by line what was here already, in this list, this pool or another', async () => {
    const other = await pool(['TAKEN-ELSEWHERE'])
    const id = await pool(['TAKEN-HERE'])
    const { status, body } = await upload(id, [
      'NEW-1',
      'TAKEN-HERE',
      ' NEW-1 ',
      'TAKEN-ELSEWHERE',
      'NEW-2',
    ])
    expect(status).toBe(201)
    expect(body).toMatchObject({ pool: id, added: 2 })
    expect(body.duplicates).toEqual([{ line: 2 }, { line: 3 }, { line: 4 }])
    expect([await counts(id), await counts(other)]).toEqual([
      [3, 0, 0],
      [1, 0, 0],
    ])
  })

  it('takes codes of any characters, also where the last ones are pairs of surrogates', async () => {
    const { body: pool } = await shop.post('/v1/loyalty/code_pools', { name: 'Emoji' })
    const codes = ['GIFT-1💶23', 'GIFT-💶💶💶', '🎁🎁🎁1']
    const { status, body } = await shop.post(`/v1/loyalty/code_pools/${pool.id}/codes`, { codes })
    expect([status, body.added], JSON.stringify(body)).toEqual([201, 3])
  })

  it('sent again with its key is the same upload', async () => {
    const id = await pool()
    const codes = codesOf(3)
    const first = await upload(id, codes, 'upload-1')
    const again = await upload(id, codes, 'upload-1')
    expect([first.status, again.status]).toEqual([201, 200])
    expect(again.body).toEqual(first.body)
    expect((await upload(id, codesOf(1), 'upload-1')).status).toBe(409)
  })

  it('is sealed: the database holds no code in the clear, and no two texts are the same', async () => {
    await pool(['VERY-SECRET-CODE-1'])
    const { body } = await redeem(
      await reward({ codes: { pool: await pool(['VERY-SECRET-CODE-2']) } }),
    )
    expect(body.gift_cards[0].code).toBe('VERY-SECRET-CODE-2')
    const { rows: tables } = await shop.owner.query(
      `select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
    )
    for (const { name } of tables) {
      const { rows } = await shop.owner.query(
        `select count(*)::int as n from ${name} t where t::text like '%VERY-SECRET-CODE%'`,
      )
      expect([name, rows[0].n]).toEqual([name, 0])
    }
    const { rows } = await shop.owner.query('select sealed from gift_code')
    expect(new Set(rows.map(({ sealed }) => sealed)).size).toBe(rows.length)
  })

  it.each([[[]], [['abc']], [[5]], ['CODE-1']])('refuses %j', async (codes) => {
    const { status } = await shop.post(`/v1/loyalty/code_pools/${await pool()}/codes`, { codes })
    expect(status).toBe(400)
  })
})

describe('a gift card with a pool', () => {
  it('gives its code at once, the same to a retry, and shows it to secret keys but not in events', async () => {
    const [code = ''] = codesOf(1)
    const cards = await pool([code])
    const of = await reward({ codes: { pool: cards } })
    const first = await redeem(of, {}, 'gift-1')
    expect([first.status, first.body.status]).toEqual([201, 'fulfilled'])
    expect(first.body.gift_cards).toEqual([
      {
        id: expect.any(String),
        code,
        last4: code.slice(-4),
        amount: 2_500,
        currency: 'EUR',
        status: 'given',
      },
    ])
    const again = await redeem(of, {}, 'gift-1')
    expect([again.status, again.body]).toEqual([200, first.body])
    const read = await shop.get(`/v1/loyalty/redemptions/${first.body.id}`)
    expect(read.body).toEqual(first.body)
    const events = await shop.get('/v1/events?type=loyalty.redemption.created&limit=1')
    const [card] = events.body.data[0].data.gift_cards
    expect(card).toMatchObject({ last4: code.slice(-4), status: 'given' })
    expect(JSON.stringify(events.body)).not.toContain(code)
    expect(await counts(cards)).toEqual([0, 1, 0])
  })

  it('is out of stock, loudly, where its pool is empty: nothing is spent', async () => {
    const of = await reward({ codes: { pool: await pool(codesOf(1)) } })
    const before = await shop.get('/v1/loyalty/accounts/loy_9f2k')
    const two = await redeem(of, { quantity: 2 })
    expect([two.status, two.body.error.code]).toEqual([422, 'reward_out_of_stock'])
    const after = await shop.get('/v1/loyalty/accounts/loy_9f2k')
    expect(after.body.balance).toBe(before.body.balance)
    expect((await redeem(of)).status).toBe(201)
    expect((await redeem(of)).body.error.code).toBe('reward_out_of_stock')
    const quote = await shop.post('/v1/loyalty/quotes', { account: 'loy_9f2k', reward: of })
    expect(quote.body).toMatchObject({
      affordable: false,
      reasons: [{ code: 'reward_out_of_stock' }],
    })
  })

  it('whose redemption is reversed has a void code, which nobody is ever given again', async () => {
    const [code = ''] = codesOf(1)
    const cards = await pool([code])
    const of = await reward({ codes: { pool: cards } })
    const { body } = await redeem(of)
    const reversed = await shop.post(`/v1/loyalty/redemptions/${body.id}/reverse`, {
      reason: 'mistake',
    })
    expect(reversed.body.status).toBe('reversed')
    expect(reversed.body.gift_cards).toEqual([
      {
        id: body.gift_cards[0].id,
        last4: code.slice(-4),
        amount: 2_500,
        currency: 'EUR',
        status: 'void',
      },
    ])
    expect(await counts(cards)).toEqual([0, 0, 1])
    expect((await redeem(of)).body.error.code).toBe('reward_out_of_stock')
    const refilled = await upload(cards, [code])
    expect(refilled.body).toMatchObject({ added: 0, duplicates: [{ line: 1 }] })
  })

  it('of which one is reversed loses its last code, by quantity only: part of the points would keep the code', async () => {
    const cards = await pool(codesOf(3))
    const { body } = await redeem(await reward({ codes: { pool: cards } }), { quantity: 3 })
    const reverse = (what: object) =>
      shop.post(`/v1/loyalty/redemptions/${body.id}/reverse`, { reason: 'mistake', ...what })
    const statuses = async () =>
      (await shop.get(`/v1/loyalty/redemptions/${body.id}`)).body.gift_cards.map(
        (card: { status: string; code?: string }) => [card.status, card.code !== undefined],
      )
    for (const points of [3, 10, 29]) {
      const { status, body: refused } = await reverse({ points })
      expect([status, refused.error?.code, refused.error?.param]).toEqual([
        400,
        'parameter_invalid',
        'points',
      ])
    }
    expect(await counts(cards)).toEqual([0, 3, 0])
    await reverse({ quantity: 1 })
    expect(await counts(cards)).toEqual([0, 2, 1])
    expect(await shop.reconcile()).toEqual([])
    expect(await statuses()).toEqual([
      ['given', true],
      ['given', true],
      ['void', false],
    ])
    const { body: whole } = await reverse({})
    expect([whole.status, whole.reversed_points]).toEqual(['reversed', 30])
    expect(await counts(cards)).toEqual([0, 0, 3])
    expect(await statuses()).toEqual([
      ['void', false],
      ['void', false],
      ['void', false],
    ])
  })

  it('that was returned in part before parts voided codes is put right by the migration', async () => {
    const cards = await pool(codesOf(3))
    const { body } = await redeem(await reward({ codes: { pool: cards } }), { quantity: 3 })
    await shop.post(`/v1/loyalty/redemptions/${body.id}/reverse`, { reason: 'no', quantity: 2 })
    await shop.owner.query(
      `update gift_code set status = 'given', voided_at = null where redemption = $1`,
      [body.id],
    )
    expect(await shop.reconcile()).toMatchObject([{ subject: body.id }])
    await shop.owner.query(readFileSync('db/migrations/0013_partial_gift_returns.sql', 'utf8'))
    expect(await counts(cards)).toEqual([0, 1, 2])
    expect(await shop.reconcile()).toEqual([])
  })

  it('says once that its pool runs low, and again after it was filled and runs low anew', async () => {
    const cards = await pool(codesOf(4), { low_at: 2 })
    const of = await reward({ codes: { pool: cards } })
    const lows = async () => {
      const { body } = await shop.get('/v1/events?type=loyalty.code_pool.low&limit=100')
      return body.data.filter(({ data }: { data: { id: string } }) => data.id === cards)
    }
    await redeem(of)
    expect(await lows()).toEqual([])
    await redeem(of)
    await redeem(of)
    const [event, ...more] = await lows()
    expect([event.data.available, more]).toEqual([2, []])
    await upload(cards, codesOf(3))
    expect((await shop.get(`/v1/loyalty/code_pools/${cards}`)).body.low_since).toBeNull()
    await redeem(of, { quantity: 2 })
    expect(await lows()).toHaveLength(2)
  })

  it('gives 40 clients 40 different codes, and everybody else a clear refusal', async () => {
    const cards = await pool(codesOf(40))
    const of = await reward({ cost: 1, codes: { pool: cards } })
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        redeem(of, { account: ['loy_9f2k', 'loy_8sd2k1', 'loy_abc123'][n % 3] }),
      ),
    )
    const given = answers.filter(({ status }) => status === 201)
    const refused = answers.filter(({ status }) => status !== 201)
    const codes = given.flatMap(({ body }) =>
      body.gift_cards.map((card: { code: string }) => card.code),
    )
    expect([given.length, new Set(codes).size]).toEqual([40, 40])
    expect(new Set(refused.map(({ body }) => body.error.code))).toEqual(
      new Set(['reward_out_of_stock']),
    )
    expect(await counts(cards)).toEqual([0, 40, 0])
  })
})

describe('a gift card with generated codes', () => {
  it('gets one of the form asked for, with its check character, one for each of the quantity', async () => {
    const of = await reward({ codes: { generated: { prefix: 'GIFT', length: 12 } } })
    const { body } = await redeem(of, { quantity: 3 })
    const codes: string[] = body.gift_cards.map((card: { code: string }) => card.code)
    expect(new Set(codes).size).toBe(3)
    for (const code of codes) {
      expect(code).toMatch(
        /^GIFT-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/,
      )
      expect(isGiftCode(code, 'GIFT')).toBe(true)
    }
    const { rows } = await shop.owner.query('select status from gift_code where redemption = $1', [
      body.id,
    ])
    expect(rows).toEqual([{ status: 'given' }, { status: 'given' }, { status: 'given' }])
  })

  it('may be asked for by one word', async () => {
    const { body } = await shop.post('/v1/loyalty/rewards', { ...gift, codes: 'generated' })
    expect(body.codes).toEqual({ generated: { length: 16 } })
    const redeemed = await redeem(body.id)
    expect(isGiftCode(redeemed.body.gift_cards[0].code)).toBe(true)
  })
})

describe('a gift card without codes', () => {
  it('waits for its fulfilment', async () => {
    const { body } = await redeem(await reward({}))
    expect([body.status, body.gift_cards]).toEqual(['fulfillment_pending', undefined])
  })
})

describe('a server without the key', () => {
  it('shows what it can of a gift card, and takes no codes', async () => {
    const of = await reward({ codes: 'generated' })
    const redeemed = await redeem(of)
    const app = productApp({
      pool: shop.pool,
      engine: shop.engine,
      holdMinutes: 30,
      log: createLog({ level: 'silent', name: 'api' }),
      registry: new Registry(),
      version: '0.0.0',
    })
    const key = shop.keys.secretKey
    const read = await request(app)
      .get(`/v1/loyalty/redemptions/${redeemed.body.id}`)
      .set('X-Api-Key', key)
    const [{ code, ...rest }] = redeemed.body.gift_cards
    expect([read.status, read.body.gift_cards]).toEqual([200, [rest]])
    expect(code).toContain(rest.last4)
    const post = (path: string, body: object) =>
      request(app).post(path).set('X-Api-Key', key).send(body)
    const upload = await post(`/v1/loyalty/code_pools/${await pool()}/codes`, { codes: ['ANY-1'] })
    const made = await post('/v1/loyalty/rewards', { ...gift, codes: 'generated' })
    const given = await post('/v1/loyalty/redemptions', { account: 'loy_9f2k', reward: of })
    expect([upload.status, made.status, given.status]).toEqual([400, 400, 503])
  })
})

describe('codes of a reward', () => {
  it.each([
    [{ pool: 'cpl_nobodys' }, 404],
    [{ generated: { length: 5 } }, 400],
    [{ generated: { prefix: 'no spaces' } }, 400],
  ])('%j are refused', async (codes, expected) => {
    expect((await shop.post('/v1/loyalty/rewards', { ...gift, codes })).status).toBe(expected)
  })

  it('are for gift cards only', async () => {
    const other = { ...gift, type: 'store_credit', codes: 'generated' }
    expect((await shop.post('/v1/loyalty/rewards', other)).body.error.param).toBe('codes')
  })
})

import { Vinr } from '@vinr/sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ShopServer, serve } from './served.ts'

/** The snippets of docs/catalogue.md and docs/store-credit.md, as they are printed there. */

let shop: ShopServer
let vinr: Vinr

beforeAll(async () => {
  shop = await serve()
  vinr = new Vinr({ secretKey: process.env.VINR_SECRET_KEY })
})
afterAll(() => shop.close())

test('a reward with sizes, shown to a member and redeemed', async () => {
  const shirt = await vinr.loyalty.rewards.create({
    name: 'Club shirt',
    type: 'free_product',
    cost: 900,
    value: { product: 'Club shirt' },
    variants: [
      { id: 'm-red', attributes: { size: 'M', colour: 'red' }, inventory: 20 },
      { id: 'xl-red', attributes: { size: 'XL', colour: 'red' }, inventory: 0 },
    ],
    categories: ['clothes'],
    images: ['https://cdn.example.com/shirt.jpg'],
    per_member_limit: { quantity: 1, window: 'month' },
  })
  const { data } = await vinr.loyalty.rewards.list({ account: 'loy_8sd2k1', category: 'clothes' })
  const [shown] = data
  expect(shown?.affordable).toBe(true)
  expect(shown?.variants.map(({ reasons }) => reasons?.[0]?.code)).toEqual([
    undefined,
    'reward_out_of_stock',
  ])
  const redemption = await vinr.loyalty.redemptions.create({
    account: 'loy_8sd2k1',
    reward: shirt.id,
    variant: 'm-red',
  })
  expect(redemption).toMatchObject({ variant: 'm-red', points: 900 })
  const archived = await vinr.loyalty.rewards.archive(shirt.id)
  expect(archived.archived_at).not.toBeNull()
  expect((await vinr.loyalty.rewards.unarchive(shirt.id)).archived_at).toBeNull()
})

test('gift cards from a pool', async () => {
  const pool = await vinr.loyalty.codePools.create({ name: 'Cinema cards', low_at: 50 })
  const batch = await vinr.loyalty.codePools.upload(pool.id, [
    'CINE-0001',
    'CINE-0002',
    'CINE-0001',
  ])
  expect(batch).toMatchObject({ added: 2, duplicates: [{ line: 3 }] })
  const card = await vinr.loyalty.rewards.create({
    name: 'Cinema card',
    type: 'gift_card',
    cost: 100,
    value: { amount: 2500, currency: 'EUR' },
    codes: { pool: pool.id },
  })
  const { gift_cards: cards } = await vinr.loyalty.redemptions.create({
    account: 'loy_8sd2k1',
    reward: card.id,
  })
  expect(cards?.[0]?.code).toMatch(/^CINE-000[12]$/)
  const left = await vinr.loyalty.codePools.retrieve(pool.id)
  expect([left.available, left.given]).toEqual([1, 1])
  const { data } = await vinr.loyalty.codePools.list()
  expect(data).toEqual([left])
})

test('store credit is issued, spent and read back', async () => {
  const reward = await vinr.loyalty.rewards.create({
    name: 'EUR 10 store credit',
    type: 'store_credit',
    cost: 1000,
    value: { amount: 1000, currency: 'EUR', expiresDays: 365 },
  })
  await vinr.loyalty.redemptions.create({ account: 'loy_9f2k', reward: reward.id })
  const payment = await vinr.payments.create({
    amount: 2999,
    currency: 'EUR',
    customer: 'cust_abc123',
    store_credit: 400,
    card: '4242 4242 4242 4242',
  })
  expect(payment).toMatchObject({ amount_charged: 2599, store_credit: 400 })
  const { wallets } = await vinr.loyalty.accounts.storeCredit('loy_9f2k')
  expect(wallets[0]).toMatchObject({ currency: 'EUR', balance: 600 })
  const moves = await vinr.loyalty.storeCreditTransactions.list({ account: 'loy_9f2k' })
  expect(moves.data.map(({ type, amount }) => [type, amount])).toEqual([
    ['spend', -400],
    ['issue', 1000],
  ])
  const [spend] = moves.data
  expect(await vinr.loyalty.storeCreditTransactions.retrieve(spend?.id ?? '')).toEqual(spend)
  const owed = await vinr.loyalty.programs.storeCreditLiability('prog_default')
  expect(owed.currencies).toEqual([
    { currency: 'EUR', outstanding: 600, issued: 1000, spent: 400, expired: 0, reversed: 0 },
  ])
})
